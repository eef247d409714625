package operate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// played is a comparison whose looks are written down: what differs at each look, by its number. The last one repeats.
type played struct {
	looks    [][]Difference
	errs     map[int]error // by the number of the look
	done     int
	repaired []Difference
}

func (*played) Title() Title {
	return Title{Name: "orders", Source: "table Orders", Destination: "table Copy"}
}

func (p *played) Look(context.Context, []Difference) (Look, error) {
	at := min(p.done, len(p.looks)-1)
	p.done++
	return Look{Items: 10, Held: 8, Differences: slices.Clone(p.looks[at])}, p.errs[at]
}

func (p *played) Steps(r Report, remove bool) []Step { return []Step{r.Step(remove)} }

func (p *played) Repair(_ context.Context, differences []Difference, _ bool) error {
	for i := range differences {
		differences[i].Repair = "repaired"
	}
	p.repaired = append(p.repaired, differences...)
	return nil
}

var _ Repairer = (*played)(nil)

func still(keys ...string) []Difference {
	var all []Difference
	for _, key := range keys {
		all = append(all, Difference{Key: key, What: Missing})
	}
	return all
}

func moving() []Difference { return []Difference{{Key: "a", What: Different, Moving: true}} }

func keysOf(differences []Difference) string {
	var keys []string
	for _, d := range differences {
		keys = append(keys, d.Key)
	}
	return strings.Join(keys, " ")
}

// When a difference counts, and how long that takes. Fails if what arrives late is called different, if what changes all the time
// is judged, or if a comparison never ends.
func TestCompare(t *testing.T) {
	for _, c := range []struct {
		name                string
		looks               [][]Difference
		judging             Judging
		differ, unjudged    string
		arrived             int
		atLeast, atMost     time.Duration
		mostLooks, minLooks int
	}{
		{name: "equal", looks: [][]Difference{nil}, judging: Judging{Patience: time.Minute, Wait: time.Minute}, minLooks: 1, mostLooks: 1},
		{name: "stays", looks: [][]Difference{still("a", "b")}, judging: Judging{Patience: 5 * time.Second}, differ: "a b", atLeast: 5 * time.Second, atMost: 6 * time.Second, minLooks: 2, mostLooks: 6},
		{name: "arrives", looks: [][]Difference{still("a", "b"), still("b")}, judging: Judging{Patience: 5 * time.Second}, differ: "b", arrived: 1, atLeast: 5 * time.Second, atMost: 6 * time.Second, mostLooks: 6},
		{name: "all arrive", looks: [][]Difference{still("a"), nil}, judging: Judging{Patience: time.Hour}, arrived: 1, atMost: time.Second, mostLooks: 2},
		{name: "begins to differ", looks: [][]Difference{still("a"), still("a", "b")}, judging: Judging{}, differ: "a", mostLooks: 2},
		{name: "no patience", looks: [][]Difference{still("a")}, judging: Judging{}, differ: "a", minLooks: 2, mostLooks: 2},
		{name: "moves all the time", looks: [][]Difference{moving()}, judging: Judging{Patience: 2 * time.Second}, unjudged: "a", atLeast: 6 * time.Second, atMost: 9 * time.Second, mostLooks: 9},
		{name: "moves all the time, no patience", looks: [][]Difference{moving()}, judging: Judging{}, unjudged: "a", minLooks: 3, mostLooks: 3},
		{name: "moves, then stays", looks: [][]Difference{still("a"), moving(), still("a")}, judging: Judging{Patience: 2 * time.Second}, differ: "a", atLeast: 2500 * time.Millisecond, atMost: 6 * time.Second, mostLooks: 9},
		{name: "moves, then stays, with a look to spare", looks: [][]Difference{still("a"), moving(), still("a")}, judging: Judging{}, differ: "a", minLooks: 3, mostLooks: 3},
		{name: "waits though it counts", looks: [][]Difference{still("a"), still("a"), still("a"), still("a"), nil}, judging: Judging{Patience: time.Second, Wait: time.Minute}, arrived: 1, atLeast: 2 * time.Second, atMost: 10 * time.Second, mostLooks: 5},
		{name: "waits in vain", looks: [][]Difference{still("a")}, judging: Judging{Patience: time.Second, Wait: 10 * time.Second}, differ: "a", atLeast: 10 * time.Second, atMost: 11 * time.Second, mostLooks: 14},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &played{looks: c.looks}
				waits := 0
				c.judging.Waiting = func(int, time.Duration) { waits++ }
				began := time.Now()
				r, err := Compare(t.Context(), p, c.judging)
				if err != nil {
					t.Fatal(err)
				}
				if keysOf(r.Differences) != c.differ || keysOf(r.Unjudged) != c.unjudged || r.Arrived != c.arrived {
					t.Errorf("differ %q, not judged %q, %d arrived; want %q, %q, %d", keysOf(r.Differences), keysOf(r.Unjudged), r.Arrived, c.differ, c.unjudged, c.arrived)
				}
				took := time.Since(began)
				if c.atMost == 0 {
					c.atMost = 2 * time.Second
				}
				if took < c.atLeast || took > c.atMost || p.done < c.minLooks || p.done > c.mostLooks {
					t.Errorf("it took %v and %d looks; want %v to %v, %d to %d", took, p.done, c.atLeast, c.atMost, c.minLooks, c.mostLooks)
				}
				if first := len(c.looks[0]) > 0; (waits == 1) != first || waits > 1 {
					t.Errorf("the wait was announced %d times", waits)
				}
			})
		})
	}
}

// A destination that isn't made yet is waited for; another error ends the comparison. Fails if nothing is said of what isn't
// compared, or if a difference is reported then.
func TestCompareFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		postponed := 0
		wait := Judging{Wait: time.Minute, Postponed: func(error, time.Time) { postponed++ }}
		none := NotYet(errors.New("there is no index"))
		p := &played{looks: [][]Difference{nil, nil, nil}, errs: map[int]error{0: none, 1: none}}
		if r, err := Compare(t.Context(), p, wait); err != nil || r.Items != 10 || postponed != 1 || p.done != 3 {
			t.Errorf("%+v, %v after %d looks, announced %d times; want the third look's", r, err, p.done, postponed)
		}
		p = &played{looks: [][]Difference{nil}, errs: map[int]error{0: none}}
		if _, err := Compare(t.Context(), p, Judging{Wait: time.Second}); !errors.Is(err, none) {
			t.Errorf("a destination that is never made: %v", err)
		}
		down := errors.New("down")
		p = &played{looks: [][]Difference{still("a"), nil}, errs: map[int]error{1: down}}
		v := Verify(t.Context(), "copies", []Comparison{p, &played{looks: [][]Difference{nil}}}, Judging{})
		if err := v.Err(); !errors.Is(err, down) || v.Differences() != 0 || len(v.Reports) != 2 || !strings.Contains(err.Error(), "nothing is known of it: orders. Run the same again.") {
			t.Errorf("%+v: %v", v, err)
		}
		if err := v.Repair(t.Context(), Plan{}, Consent{Yes: true}); err != nil || p.repaired != nil {
			t.Errorf("what wasn't compared to its end was repaired: %v, %v", p.repaired, err)
		}
	})
}

// What a repair needs: a difference that was judged, consent, and the number of what is deleted.
func TestVerifiedRepair(t *testing.T) {
	verified := func(differences ...Difference) (*Verified, *played) {
		p := &played{looks: [][]Difference{differences}}
		return Verify(t.Context(), "copies", []Comparison{p}, Judging{}), p
	}
	var plan bytes.Buffer
	v, p := verified(still("a")...)
	if err := v.Repair(t.Context(), Plan{Verb: "sluice verify copies --repair"}, Consent{DryRun: true, Out: &plan}); err != nil || p.repaired != nil || !strings.Contains(plan.String(), "table Copy  table Orders  1") {
		t.Errorf("a dry run repaired %v, %v, with the plan\n%s", p.repaired, err, &plan)
	}
	if err := v.Repair(t.Context(), Plan{}, Consent{Yes: true, Out: &plan}); err != nil || keysOf(p.repaired) != "a" {
		t.Errorf("repaired %v, %v", p.repaired, err)
	}
	if got := fmt.Sprint(v.Err()); got != "1 item differed; run the same again to see what differs now" {
		t.Error(got)
	}
	extra := []Difference{}
	for i := range 8 { // all that the destination has
		extra = append(extra, Difference{Key: fmt.Sprint(i), What: Extra})
	}
	v, p = verified(extra...)
	all := Removal{Allowed: true, Limit: DefaultLimit}
	if err := v.Repair(t.Context(), Plan{}, Consent{Yes: true, Out: &plan, Removal: all}); p.repaired != nil || !strings.Contains(fmt.Sprint(err), "--remove-extra=8") {
		t.Errorf("an empty source deleted %d items: %v", len(p.repaired), err)
	}
	v, p = verified(moving()...)
	if err := v.Repair(t.Context(), Plan{}, Consent{Yes: true, Out: &plan}); err != nil || p.repaired != nil || v.Err() != nil {
		t.Errorf("what is in flight was repaired: %v, %v, %v", p.repaired, err, v.Err())
	}
}

// What helps each kind of difference. Fails if somebody is sent to a command that doesn't help.
func TestAdvice(t *testing.T) {
	other, extra := Difference{Key: "o", What: Missing}, Difference{Key: "e", What: Extra}
	refused := Difference{Key: "r", What: Missing, Refused: "too large"}
	rebuild := Difference{Key: "s", What: Different, Command: "sluice rebuild daily"}
	const beyond = "1 item can't be made equal by any command: correct the item at its source, or the declaration. The first: r: too large"
	for _, c := range []struct {
		found             []Difference
		repaired, removed bool
		want              string
	}{
		{[]Difference{other}, false, false, "1 item differs; sluice verify copies --repair makes them equal, or says of each why it can't"},
		{[]Difference{other, extra}, false, false, "2 items differ; sluice verify copies --repair --remove-extra makes them equal, or says of each why it can't"},
		{[]Difference{refused}, false, false, "1 item differs; " + beyond},
		{[]Difference{refused}, true, false, "1 item differed; " + beyond},
		{[]Difference{refused, other}, false, false, "2 items differ; " + beyond + "; sluice verify copies --repair makes the others equal, or says of each why it can't"},
		{[]Difference{refused, other}, true, false, "2 items differed; " + beyond + "; run the same again to see what differs now"},
		{[]Difference{extra}, true, false, "1 item differed; 1 item that the source doesn't have stays: --remove-extra deletes it"},
		{[]Difference{extra, other}, true, false, "2 items differed; 1 item that the source doesn't have stays: --remove-extra deletes it; run the same again to see that nothing else differs"},
		{[]Difference{extra, other}, true, true, "2 items differed; run the same again to see what differs now"},
		{[]Difference{rebuild, rebuild}, false, false, "2 items differ; look for dead letters (sluice redrive copies --list), then run sluice rebuild daily"},
		{[]Difference{rebuild, other}, false, false, "2 items differ; look for dead letters (sluice redrive copies --list), then run sluice rebuild daily; sluice verify copies --repair makes the others equal, or says of each why it can't"},
	} {
		v := &Verified{Consumer: "copies", Reports: []Report{{Look: Look{Differences: c.found}}}, comparisons: []Comparison{&played{}}, repaired: c.repaired, removed: c.removed}
		if got := fmt.Sprint(v.Err()); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

// A reason that a table has no room for is printed whole below it. Fails if it is cut at the width of a cell.
func TestReasonsArePrintedWhole(t *testing.T) {
	long := "document bad: 400 mapper_parsing_exception: " + strings.Repeat("failed to parse ", 10) + "END"
	var many []Difference
	for i := range maxNotes + 3 {
		many = append(many, Difference{Key: fmt.Sprint("p", i), What: Missing, Repair: long})
	}
	for want, found := range map[string][]Difference{
		"(1) bad: refused: " + long:                    {{Key: "bad", What: Missing, Refused: long}},
		"(20) p19: " + long + "\n… and 3 more; --json": many,
	} {
		var out bytes.Buffer
		if err := (Report{Look: Look{Differences: found}}).print(&out, true); err != nil || !strings.Contains(out.String(), want) || !strings.Contains(out.String(), "(1) see below") {
			t.Errorf("it prints\n%s\nwant %q, %v", &out, want, err)
		}
	}
}
