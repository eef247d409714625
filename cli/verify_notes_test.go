package cli

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/cli/verb"
	"sluice/consumers/search"
	searchops "sluice/consumers/search/ops"
)

// printed returns what a function prints to standard output.
func printed(t *testing.T, print func() error) string {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "stdout"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	before := verb.Stdout
	verb.Stdout = verb.NewOutput(file)
	err = verb.Stdout.Join(print())
	verb.Stdout = before
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A reason that a table has no room for stands whole below it. Fails if it is cut at the width of a cell.
func TestReasonsArePrintedWhole(t *testing.T) {
	long := "document bad: 400 mapper_parsing_exception: " + strings.Repeat("failed to parse ", 10) + "END"
	route := &searchops.Operator{Route: &search.Route{Index: "plays"}}
	texts := map[string]func() error{
		"(1) bad: refused: " + long: func() error {
			return (&verifySearchCommand{}).print(route, searchops.Verification{Differences: []searchops.Difference{{ID: "bad", What: searchops.Missing, Repair: long, Refused: true}}}, true)
		},
		"(1) bad: refused: no timestamp " + long: func() error {
			value := searchops.ValueDifference{Attribute: "day", Refused: "no timestamp " + long}
			return (&verifySearchCommand{}).print(route, searchops.Verification{Differences: []searchops.Difference{{ID: "bad", What: searchops.Different, Values: []searchops.ValueDifference{value}, Refused: true}}}, true)
		},
	}
	for want, print := range texts {
		if got := printed(t, print); !strings.Contains(got, want) || !strings.Contains(got, "(1) see below") {
			t.Errorf("it prints\n%s\nwant %q", got, want)
		}
	}
}

// What became of a repair decides what is advised. Fails if somebody is sent to repair, or to look again, what is refused for good, or
// what nothing in the table stands for and no repair deletes unasked.
func TestAdviceAfterARepair(t *testing.T) {
	refused, other, extra := searchops.Difference{Refused: true}, searchops.Difference{}, searchops.Difference{What: searchops.Extra}
	for _, c := range []struct {
		found             []searchops.Difference
		repaired, removed bool
		want              string
	}{
		{[]searchops.Difference{other}, false, false, "1 document differs; --repair makes them the same"},
		{[]searchops.Difference{other, other}, true, false, "2 documents differed; look again to see that none does now"},
		{[]searchops.Difference{refused}, true, false, "1 document differed; 1 document is refused for good, so no repair helps: correct the items, or the definition"},
		{[]searchops.Difference{refused, other}, true, false, "2 documents differed; 1 document is refused for good, so no repair helps: correct the items, or the definition; look again to see that nothing else differs"},
		{[]searchops.Difference{refused, other}, false, false, "2 documents differ; 1 document is refused for good, so no repair helps: correct the items, or the definition; --repair makes the others the same"},
		{[]searchops.Difference{extra, other}, false, false, "2 documents differ; --repair --remove-extra makes them the same"},
		{[]searchops.Difference{extra}, true, false, "1 document differed; 1 document without an item stays, --remove-extra deletes them"},
		{[]searchops.Difference{extra, other}, true, false, "2 documents differed; 1 document without an item stays, --remove-extra deletes them; look again to see that nothing else differs"},
		{[]searchops.Difference{extra, other}, true, true, "2 documents differed; look again to see that none does now"},
	} {
		if got := differing(len(c.found), []searchops.Verification{{Differences: c.found}}, c.repaired, c.removed); got.Error() != c.want {
			t.Errorf("got  %v\nwant %s", got, c.want)
		}
	}
}

// A look that couldn't compare has found no difference. Fails if it is said that something differs, or if the looks end.
func TestNothingComparedYet(t *testing.T) {
	looks := 0
	said := saidToStderr(t, func() {
		v, err := lookUntil(t.Context(), time.Minute, func(bool) (int, bool, error) {
			if looks++; looks == 1 {
				return 0, true, notYetError{errors.New("connection refused")}
			}
			return 7, false, nil
		})
		if v != 7 || err != nil {
			t.Errorf("got %d, %v", v, err)
		}
	})
	if !strings.HasPrefix(said, "Nothing is compared yet: connection refused. Looking again, at most until ") || strings.Contains(said, "differs") {
		t.Errorf("it says %q", said)
	}
}

// saidToStderr returns what is written to standard error meanwhile.
func saidToStderr(t *testing.T, do func()) string {
	t.Helper()
	file, err := os.CreateTemp(t.TempDir(), "stderr")
	if err != nil {
		t.Fatal(err)
	}
	before := os.Stderr
	os.Stderr = file
	defer func() { os.Stderr = before }()
	do()
	text, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
