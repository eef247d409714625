package servers

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Fails for a check that only looks at what is listed, or only at what is there.
func TestChecksums(t *testing.T) {
	const sum = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" // of "hello"
	for name, test := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"as listed":  {map[string]string{"a.jar": "hello"}, nil},
		"changed":    {map[string]string{"a.jar": "hello!"}, []string{"a.jar has the SHA-256 ", "want " + sum}},
		"missing":    {nil, []string{"a.jar is listed, but was not fetched"}},
		"additional": {map[string]string{"a.jar": "hello", "b.jar": ""}, []string{"b.jar was fetched, but is not listed"}},
		"both":       {map[string]string{"b.jar": ""}, []string{"a.jar is listed", "b.jar was fetched"}},
	} {
		dir, list := t.TempDir(), filepath.Join(t.TempDir(), "jars.sha256")
		if err := os.WriteFile(list, []byte(sum+"  a.jar\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		for file, text := range test.files {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		err := checkSums(dir, list)
		if (err == nil) != (test.want == nil) {
			t.Errorf("%s: error %v, want %q", name, err, test.want)
		}
		for _, want := range test.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %v, want %q", name, err, want)
			}
		}
	}
}
