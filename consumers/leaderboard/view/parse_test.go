package view

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Each faulty file with every error that it should have. Fails if a check is
// left out, stops at the first fault, or names another place.
func TestFaultsOfAFile(t *testing.T) {
	paths, err := filepath.Glob("testdata/lint/*.yaml")
	if err != nil || len(paths) < 7 {
		t.Fatalf("%d files, %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			views, err := Parse(filepath.Base(path), text, map[string]string{"SCORE_TABLE": "Scores"})
			if err == nil {
				t.Fatalf("no fault found; %d views", len(views))
			}
			golden := strings.TrimSuffix(path, "yaml") + "golden"
			if *update {
				if err := os.WriteFile(golden, []byte(err.Error()+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, readErr := os.ReadFile(golden)
			if readErr != nil {
				t.Fatal(readErr)
			}
			if diff := cmp.Diff(string(want), err.Error()+"\n"); diff != "" {
				t.Errorf("errors (-want +got), go test -update accepts them:\n%s", diff)
			}
		})
	}
}

// A view over another's items is fine as long as nothing leads back, and so are
// items beside those viewed, in the same table.
func TestViewsThatDoNotFeedThemselves(t *testing.T) {
	for name, text := range map[string]string{
		"a filter that its items don't match": `
  - name: v
    from: {table: T, where: {entityType: ACTIVITY}}
    into: {table: T, key: {PK: "PET#{petId}", SK: "SUMMARY#{petId}"}}
    count: n`,
		"a key prefix of its own": `
  - name: v
    from: {table: T, where: {PK: {prefix: "PET#"}}}
    into: {table: T, key: {PK: "SUM#{petId}", SK: all}}
    count: n`,
		"a filter on a number that it writes": `
  - name: v
    from: {table: T, where: {n: "5"}}
    into: {table: T, key: {PK: "{PK}", SK: all}}
    count: n`,
		"a view of a view": `
  - name: v
    from: {table: T}
    into: {table: U, key: {PK: "{PK}"}}
    sum: {n: n}
  - name: w
    from: {table: U}
    into: {table: V, key: {PK: "all"}}
    sum: {n: n}`,
	} {
		if _, err := Parse("views.yaml", []byte("views:"+text+"\n"), nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
