package main

import (
	"os"
	"path/filepath"
	"testing"
)

// The example beside the rules passes; a case that the rules don't meet is shown with
// its difference, and a faulty file with its faults.
func TestBadgesTest(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	want(t, dir, []string{"badges", "test", "consumers/badges/rules_test.yaml"}, "ok       ten days in a row, over a leap day", "9 cases: the rules give each the badges it says.")
	write("own.yaml", `
plays: {table: Plays, player: Who, at: When, zone: UTC, earliest: 2020-01-01}
badges:
  - {name: three, title: {en: Three}, text: {en: Three plays}, count: {plays: 3}}
`)
	out, code := run(t, dir, "badges", "test", write("cases.yaml", `
rules: own.yaml
cases:
  - {name: three plays, plays: [{days: 3, from: 2024-01-01}], badges: [three]}
  - {name: two plays, plays: [{days: 2, from: 2024-01-01, Who: ann}], badges: [three]}
  - {name: four plays, plays: [{days: 4, from: 2024-01-01, Who: ann}], badges: []}
`))
	if code != 1 {
		t.Errorf("cases that differ: exit %d, want 1", code)
	}
	wantTexts(t, out, "ok       three plays", "differs  two plays (line 5)", "ann doesn't earn three", "ann earns three, which isn't among the case's badges", "sluice badges test: 2 cases differ")
	out, code = run(t, dir, "badges", "test", write("faulty.yaml", "cases:\n  - {name: x, plays: [{Timestamp: soon}], badges: [first]}\n"))
	if code != 1 {
		t.Errorf("a faulty file: exit %d, want 1", code)
	}
	wantTexts(t, out, "faulty.yaml:2:", "can't use this play", `there is no badge "first"`)
	out, code = run(t, dir, "badges", "test", write("lost.yaml", "rules: none.yaml\ncases: [{name: x, plays: [], badges: []}]\n"))
	if code != 1 {
		t.Errorf("rules that aren't there: exit %d, want 1", code)
	}
	wantTexts(t, out, "none.yaml")
}
