package rule

import (
	"maps"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// State is what is known of one player: sums and counts by item (AttrOf) and tally.
type State map[string]map[string]decimal.Decimal

// Earned returns the awards that the state earns by the rule, in a fixed order. Days
// after today, a date like 2024-01-15, count for nothing yet; empty: all count.
func (r *Rule) Earned(s State, today string) []Award { return r.kind.earned(r, s, today) }

// items yields the items that the rule looks at, in the order of AttrOf. An item of the
// empty text is none: a play whose attribute is empty doesn't say of which it is.
func (r *Rule) items(s State) func(yield func(string, map[string]decimal.Decimal) bool) {
	return func(yield func(string, map[string]decimal.Decimal) bool) {
		for _, of := range slices.Sorted(maps.Keys(s)) {
			empty := of == r.prefix() && r.kind.looks().each != ""
			if strings.HasPrefix(of, r.prefix()) && !empty && !yield(of, s[of]) {
				return
			}
		}
	}
}
