package operate

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Limit bounds how many items a plan deletes from a destination without the number being named. Whatever it says, a plan that
// deletes all items of a destination is beyond it.
type Limit struct {
	Percent float64 // of the items that the destination holds, rounded up to a whole item
	Items   int
}

// DefaultLimit is 1 % and at most 100 items.
var DefaultLimit = Limit{Percent: 1, Items: 100}

// ParseLimit reads a limit such as "1%,100", "5%" or "20".
func ParseLimit(text string) (Limit, error) {
	l := Limit{Percent: 100, Items: math.MaxInt}
	for part := range strings.SplitSeq(text, ",") {
		var err error
		if percent, ok := strings.CutSuffix(strings.TrimSpace(part), "%"); ok {
			l.Percent, err = strconv.ParseFloat(percent, 64)
		} else {
			l.Items, err = strconv.Atoi(strings.TrimSpace(part))
		}
		if err != nil || l.Items < 0 || !(l.Percent >= 0 && l.Percent <= 100) {
			return Limit{}, fmt.Errorf("a limit is a percentage from 0%% to 100%%, a number from 0, or both, such as 1%%,100 (got %q)", text)
		}
	}
	return l, nil
}

func (l Limit) String() string {
	if l.Items == math.MaxInt {
		return fmt.Sprintf("%g %%", l.Percent)
	}
	return fmt.Sprintf("%g %% and at most %d items", l.Percent, l.Items)
}

// of returns how many items may be deleted from a destination that holds so many.
func (l Limit) of(held int) int {
	return max(0, min(int(math.Ceil(l.Percent/100*float64(held))), l.Items, held-1))
}

// Removal says which deletions were allowed.
type Removal struct {
	Allowed bool
	// Named is how many items may be deleted in all whatever the limit says; 0: no number was named.
	Named int
	Limit Limit
}

// Check returns a *BeyondError if the plan deletes more than is allowed.
func (r Removal) Check(p Plan) error {
	var removing, beyond []Step
	all := 0
	for _, s := range p.Steps {
		all += s.Remove
		if s.Remove > 0 {
			removing = append(removing, s)
		}
		if s.Remove > r.Limit.of(s.Held) {
			beyond = append(beyond, s)
		}
	}
	switch {
	case all == 0 || r.Named >= all:
		return nil
	case r.Named > 0:
		return &BeyondError{Step: removing[0], All: all, Named: r.Named, Limit: r.Limit}
	case len(beyond) > 0:
		return &BeyondError{Step: beyond[0], All: all, Allowed: r.Allowed, Limit: r.Limit}
	case !r.Allowed:
		return &BeyondError{Step: removing[0], All: all, Limit: r.Limit}
	}
	return nil
}

// BeyondError is returned when a plan deletes more than was allowed.
type BeyondError struct {
	Step    Step // the first that goes too far
	All     int  // items that the plan deletes
	Named   int  // the number that was named
	Allowed bool // deletion was allowed, up to the limit
	Limit   Limit
}

func (e *BeyondError) Error() string {
	what := fmt.Sprintf("%s would lose %d of its %d items", e.Step.Into, e.Step.Remove, e.Step.Held)
	const check = "If that is right, repeat the command with --remove-extra=%d."
	doubt := ""
	if e.Step.From != "" {
		doubt = fmt.Sprintf("Is %s the right source, and is it complete? It may have been made anew. ", e.Step.From)
	}
	switch {
	case e.Named > 0:
		return fmt.Sprintf("refused: the plan deletes %d items, more than the %d of --remove-extra.\n%s"+check, e.All, e.Named, doubt, e.All)
	case !e.Allowed && e.Step.Remove <= e.Limit.of(e.Step.Held):
		return fmt.Sprintf("refused: %s. Without --remove-extra nothing is deleted", what)
	}
	return fmt.Sprintf("refused: %s. Beyond %v (--max-remove) the number must be named.\n%s"+check, what, e.Limit, doubt, e.All)
}
