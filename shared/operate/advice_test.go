package operate

import (
	"context"
	"testing"
)

// alwaysEqual is a Comparison with a repair.
type alwaysEqual struct{}

func (alwaysEqual) Title() Title                                     { return Title{} }
func (alwaysEqual) Look(context.Context, []Difference) (Look, error) { return Look{}, nil }
func (alwaysEqual) Steps(Report, bool) []Step                        { return nil }
func (alwaysEqual) Repair(context.Context, []Difference, bool) error { return nil }

// The outcome of a repair decides the advice. Fails if somebody is sent to repair, or to compare again, what no command can make
// equal, or what a repair deletes only when asked.
func TestAdviceAfterARepair(t *testing.T) {
	refused, other, extra := Difference{Key: "bad", Refused: "no number"}, Difference{}, Difference{What: Extra}
	const hopeless = "1 item can't be made equal by any command: correct the item at its source, or the declaration. The first: bad: no number"
	for _, c := range []struct {
		found             []Difference
		repaired, removed bool
		want              string
	}{
		{[]Difference{other}, false, false, "1 item differs; sluice verify test --repair makes them equal, or says of each why it can't"},
		{[]Difference{other, other}, true, false, "2 items differed; run the same again to see what differs now"},
		{[]Difference{refused}, true, false, "1 item differed; " + hopeless},
		{[]Difference{refused, other}, true, false, "2 items differed; " + hopeless + "; run the same again to see what differs now"},
		{[]Difference{refused, other}, false, false, "2 items differ; " + hopeless + "; sluice verify test --repair makes the others equal, or says of each why it can't"},
		{[]Difference{extra, other}, false, false, "2 items differ; sluice verify test --repair --remove-extra makes them equal, or says of each why it can't"},
		{[]Difference{extra}, true, false, "1 item differed; 1 item that the source doesn't have stays: --remove-extra deletes it"},
		{[]Difference{extra, other}, true, false, "2 items differed; 1 item that the source doesn't have stays: --remove-extra deletes it; run the same again to see that nothing else differs"},
		{[]Difference{extra, other}, true, true, "2 items differed; run the same again to see what differs now"},
	} {
		v := &Verified{Consumer: "test", Reports: []Report{{Look: Look{Differences: c.found}}}, comparisons: []Comparison{alwaysEqual{}}, repaired: c.repaired, removed: c.removed}
		if got := v.advice(); got != c.want {
			t.Errorf("got  %v\nwant %s", got, c.want)
		}
	}
}
