package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Files of each kind, by their own content, from a file and from standard input. Fails if lint reads every file as views,
// or the definitions of its own build for a file that has some beside it.
func TestLintReadsTheFile(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const route = "routes:\n  - {name: r, from: {table: T, where: {Level: 3}}, into: {index: i, definition: %s}}\n"
	write("with/indexes/mine.json", `{"settings": {}, "mappings": {"dynamic": "strict", "properties": {"Level": {"type": "long"}}}}`)
	rules := "plays: {table: T, player: P, at: A, zone: UTC, earliest: 2000-01-01}\nbadges: [{name: b, title: {en: t}, text: {en: x}, where: {Won: true}, first: {}}]\n"
	for _, test := range []struct {
		flag, path string
		code       int
		text       string
	}{
		{"", write("views.yaml", "\ufeffviews: [{name: v, from: {table: T, where: {Zip: \"12345\"}}, into: {table: U, key: {Id: all}}, count: n}]\n"), 0, "where Zip is the text \"12345\""},
		{"", write("rules.yaml", rules), 0, "b: the first play; if Won is the boolean true"},
		{"", write("replicas.yaml", "replicas: [{name: r, from: {table: T, where: {Open: true}}, into: {table: U, region: eu-west-1}}]\n"), 0, "where Open is the boolean true"},
		{"", write("with/routes.yaml", fmt.Sprintf(route, "mine.json")), 0, "where Level is the number 3"},
		{"--as=search", write("with/other.yaml", fmt.Sprintf(route, "pets.json")), 1, "with/indexes has no pets.json"},
		{"", write("without/routes.yaml", fmt.Sprintf(route, "pets.json")), 0, "the definitions are those of pipeline"},
		{"--as=replication", write("wrong.yaml", rules), 1, "declares the rules of badges, which isn't what the flag says"},
		{"", write("cases.yaml", "cases: []\n"), 1, "sluice badges test FILE runs them"},
		{"", write("latin1.yaml", "views:\n  - {name: K\xf6ln}\n"), 1, "latin1.yaml:2:13: the byte 0xF6 is no UTF-8"},
		{"", write("keys.yaml", "views: [{name: v, from: {table: T}, into: {table: U, key: {Id: \"{a}{b}\"}}, count: n}]\n"), 1, "run together"},
		{"", write("joined.yaml", "views: [{name: v, from: {table: T}, into: {table: U, key: {Id: \"{a}|{b}\"}}, count: n}]\n"), 0, `an item whose a holds "|" is a dead letter`},
	} {
		arguments := []string{"lint"}
		if test.flag != "" {
			arguments = append(arguments, test.flag)
		}
		out, code := run(t, t.TempDir(), append(arguments, test.path)...)
		if code != test.code || !strings.Contains(out, test.text) {
			t.Errorf("%v: exit %d, want %d and %q", arguments, code, test.code, test.text)
		}
		if strings.Contains(test.path, "with/") {
			continue // nothing is beside standard input
		}
		in, err := os.Open(test.path)
		if err != nil {
			t.Fatal(err)
		}
		cmd := command(t, t.TempDir(), append(arguments, "-")...)
		cmd.Stdin = in
		piped, err := cmd.CombinedOutput()
		in.Close()
		if want := strings.Replace(test.text, filepath.Base(test.path), "standard input", 1); (err != nil) != (test.code != 0) || !strings.Contains(string(piped), want) {
			t.Errorf("%v from standard input: %v, want exit %d and %q:\n%s", arguments, err, test.code, want, piped)
		}
	}
	want(t, t.TempDir(), []string{"lint"}, "The declarations of pipeline/views.yaml, pipeline/replicas.yaml, pipeline/routes.yaml, pipeline/rules.yaml, as they are in ")
}
