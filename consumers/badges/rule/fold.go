package rule

import (
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/view"
)

// States are those of several players, by name.
type States map[string]State

// Fold counts an item of a table of plays in the states, by the very views that keep
// them. The error says why a view can't use the play: it counts for nothing there,
// and its change is a dead letter. c is an insert, as change.FromItem makes it.
func (b *Book) Fold(c *change.Change, into States) error {
	var fault error
	for _, v := range b.Views {
		parts, err := v.Contributions(c, 0) // the horizon is for boxes that expire
		if consumer.OutcomeOf(err) == consumer.Rejected && fault == nil {
			fault = fmt.Errorf("view %s: %w", v.Name, err)
		}
		for _, part := range parts {
			player, of := change.TextOf(part.Target.Key[AttrPlayer]), change.TextOf(part.Target.Key[AttrOf])
			state := into[player]
			if state == nil {
				state = State{}
				into[player] = state
			}
			state.add(of, part)
		}
	}
	return fault
}

func (s State) add(of string, part view.Contribution) {
	if s[of] == nil {
		s[of] = make(map[string]decimal.Decimal, len(part.Amount.Add))
	}
	for tally, n := range part.Amount.Add {
		s[of][tally] = s[of][tally].Add(n)
	}
}

// AllEarned returns all that a state earns, in a fixed order, and what it earns together
// with further awards that the player has; today is as for [Rule.Earned].
func (b *Book) AllEarned(s State, today string, have []Award) []Award {
	var earned []Award
	for _, r := range b.Rules {
		earned = append(earned, r.Earned(s, today)...)
	}
	all := slices.Concat(earned, have)
	for {
		more := b.Combine(all)
		if len(more) == 0 {
			return earned
		}
		earned, all = append(earned, more...), append(all, more...)
	}
}

// Tallies names the sums and counts of an item of the state that any rule looks at.
func (b *Book) Tallies(of string) []string {
	var tallies []string
	for _, r := range b.OfItem(of) {
		tallies = append(tallies, r.tally)
	}
	slices.Sort(tallies)
	return slices.Compact(tallies)
}

// Sums reports whether a tally is a sum of an attribute, which plays may raise or lower, and
// no count.
func (b *Book) Sums(tally string) bool {
	return slices.ContainsFunc(b.Rules, func(r *Rule) bool { return r.tally == tally && r.kind.looks().sum != "" })
}

// ViewOf returns the view that keeps an item of the state; nil if no rule looks at it.
func (b *Book) ViewOf(of string) *view.View {
	for _, r := range b.OfItem(of) {
		if v := view.Named(b.Views, r.viewName()); v != nil {
			return v
		}
	}
	return nil
}

// ViewPrefix begins the names of all views that keep players' states.
const ViewPrefix = "badges-"

// viewName names the view with the items that the rule looks at.
func (r *Rule) viewName() string {
	items := strings.TrimPrefix(r.prefix(), ofPlays)
	return strings.Trim(ViewPrefix+strings.ReplaceAll(items, "#", "-"), "-")
}
