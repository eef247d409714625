package document

import (
	"strings"
	"testing"
	"testing/fstest"
)

// A reindex that was begun with other ids, or with another declaration, must not be resumed. Fails if the fingerprint leaves out
// the scheme of ids or a part of the declaration. The first fingerprint is stored by reindexes that are under way.
func TestFingerprint(t *testing.T) {
	fingerprint := func(scheme int, definition string, replace ...string) string {
		t.Helper()
		file := strings.NewReplacer(replace...).Replace(`routes:
  - name: test
    from: {table: Source, where: {kind: pub}}
    into: {index: test, definition: test.json}
    leaveOut: [secret]
    rename: {any: tags}
`)
		routes, err := ReadRoutes("test.yaml", []byte(file), nil, fstest.MapFS{"indexes/test.json": {Data: []byte(definition)}}, "")
		if err != nil {
			t.Fatal(err)
		}
		f, err := routes[0].fingerprint(scheme)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	const stored = "a0ee1c0d4febe01566bdac3110b12c6711958510f37c3cebb9455a98b5e54d4c"
	seen := map[string]string{}
	for what, f := range map[string]string{
		"the declaration":    fingerprint(idScheme, "{}"),
		"another id scheme":  fingerprint(idScheme+1, "{}"),
		"another definition": fingerprint(idScheme, `{"settings": {"number_of_shards": 2}}`),
		"another table":      fingerprint(idScheme, "{}", "Source", "Other"),
		"another condition":  fingerprint(idScheme, "{}", "kind: pub", "kind: public"),
		"another left out":   fingerprint(idScheme, "{}", "[secret]", "[secret, other]"),
		"another renaming":   fingerprint(idScheme, "{}", "any: tags", "any: labels"),
		"only some are kept": fingerprint(idScheme, "{}", "leaveOut: [secret]", "keep: [kind, any]"),
	} {
		if other, same := seen[f]; same {
			t.Errorf("%s and %s have the same fingerprint", what, other)
		}
		seen[f] = what
	}
	if got := seen[stored]; got != "the declaration" {
		t.Errorf("the fingerprint that is stored for the declaration is of %q; it is now %s", got, fingerprint(idScheme, "{}"))
	}
}
