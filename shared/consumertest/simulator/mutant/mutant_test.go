package mutant

import (
	"os"
	"path/filepath"
	"testing"
)

// An edit that fits nowhere, or in two places, would test something else than
// what its name says.
func TestMutantMustFitOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "source.go")
	if err := os.WriteFile(file, []byte("if a {\n}\nif b {\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for old, fits := range map[string]bool{"if a {": true, "if ": false, "if c {": false} {
		_, err := Mutant{File: file, Old: old, New: "if false {"}.overlay(t.TempDir())
		if (err == nil) != fits {
			t.Errorf("%q: %v, want that it fits: %v", old, err, fits)
		}
	}
}
