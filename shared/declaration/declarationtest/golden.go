// Package declarationtest tests how a consumer reads what a file declares.
package declarationtest

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

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
			got := fault.Error() + "\n"
			golden := strings.TrimSuffix(path, "yaml") + "golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("errors (-want +got), go test -update accepts them:\n%s", diff)
			}
		})
	}
}
