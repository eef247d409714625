// Package declarationtest tests how a consumer reads what a file declares.
package declarationtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/shared/consumertest/golden"
)

// Faults reads every testdata/lint/*.yaml, of which there must be at least so
// many, and compares the error with the golden file beside it. The test fails, too,
// if no fault is found.
func Faults(t *testing.T, atLeast int, read func(name string, text []byte) error) {
	t.Helper()
	paths, err := filepath.Glob("testdata/lint/*.yaml")
	if err != nil || len(paths) < atLeast {
		t.Fatalf("%d files, %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			fault := read(filepath.Base(path), text)
			if fault == nil {
				t.Fatal("no fault found")
			}
			golden.Compare(t, strings.TrimSuffix(path, "yaml")+"golden", fault.Error()+"\n")
		})
	}
}
