package rule

import (
	"math"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// Kind names what a rule asks for, as the file does.
type Kind string

// kind is how the rules of one kind work. Each kind is a file of its own. A rule has a value
// of its kind, which holds what the file says beside the kind's name.
type kind interface {
	// read reads what the file says. It sets the rule's levels.
	read(r *reader, b *Rule, n node)
	// asks says in a line what the rule asks for.
	asks(b *Rule) string
	// looks says at which items of the state the rule looks, and at what in them.
	looks() looks
	// span says on which items an award may depend, beside the one that has changed: on those of so many days before and
	// after it, on none (oneItem), or on all (everyItem).
	span(b *Rule) int
	// earned returns the awards that a state earns, in a fixed order.
	earned(b *Rule, s State, today string) []Award
	// have measures a state as the levels do.
	have(b *Rule, s State, today string) decimal.Decimal
}

// What span returns if it isn't a number of days.
const (
	oneItem   = -1
	everyItem = math.MaxInt
)

// What only some kinds have.
type (
	// dated is a kind whose awards some days have earned.
	dated interface {
		// shown returns the days that come closest.
		shown(b *Rule, s State, today string) []string
	}
	// boxed is a kind whose plays may have to be within one day, week or month.
	boxed interface {
		// inBox says within which, and how often; empty: within none.
		inBox() string
	}
	// undone is a kind of which more plays may earn less. Plays don't arrive in their order, so such an award may be one that the
	// plays never earned. It is always revoked, and nobody is told of it.
	undone interface{ isUndone() }
)

// looks says what a rule looks at in a state. The zero value is a count of all plays.
type looks struct {
	none bool   // the rule doesn't look at plays
	each string // the items of the values of this attribute
	unit string // the items of days, weeks or months
	sum  string // a sum of this attribute, not a count of plays
	// presence: it makes no difference how many plays an item has, as long as it has any.
	presence bool
}

// prefix begins AttrOf of the items, after the block of plays.
func (l looks) prefix() string {
	switch {
	case l.each != "":
		return ofEach + l.each + "#"
	case l.unit != "":
		return l.unit + ofBox
	}
	return OfTotal
}

// kinds are all kinds, in the order in which faults and documents list them.
var kinds = []struct {
	name Kind
	make func() kind
}{
	{First, func() kind { return &first{} }},
	{Count, func() kind { return &count{} }},
	{Total, func() kind { return &total{} }},
	{Streak, func() kind { return &streak{} }},
	{Window, func() kind { return &window{} }},
	{Comeback, func() kind { return &comeback{} }},
	{Distinct, func() kind { return &distinct{} }},
	{All, func() kind { return &all{} }},
	{Item, func() kind { return &item{} }},
}

// Kinds returns the names of all kinds, in the order of the README.
func Kinds() []string {
	var names []string
	for _, k := range kinds {
		names = append(names, string(k.name))
	}
	return names
}

// single is the level of a badge that is earned or not.
func single() []Level { return []Level{{Need: decimal.NewFromInt(1)}} }

// Spreads tells whether one award may depend on several items of the state. Then it
// takes more than the one item that a play has changed to know it.
func (r *Rule) Spreads() bool { return r.kind.span(r) != oneItem }

// Near returns the bounds of AttrOf between which the items are that may earn an award
// together with one that has changed.
func (r *Rule) Near(of string) (from, to string) {
	span := r.kind.span(r)
	if span == everyItem {
		return r.prefix(), r.prefix() + "\U0010FFFF"
	}
	day, ok := dayOf(strings.TrimPrefix(of, r.prefix()))
	if span == oneItem || !ok {
		return of, of
	}
	// A label of five digits for the year would sort before all others.
	return r.prefix() + labelOf(day-span), r.prefix() + labelOf(min(day+span, lastDay))
}

// Unbounded reports whether any number of items may be near, so that a reader stops as soon as it has Enough.
func (r *Rule) Unbounded() bool {
	_, undone := r.kind.(undone)
	return r.kind.span(r) == everyItem && !undone
}

// Enough reports whether the first items of those that are near earn all that an unbounded rule ever gives: there
// may be a million, and the rule asks for some. Days are read in their order, so none that has yet to come hides one that has come.
func (r *Rule) Enough(s State) bool {
	return r.Unbounded() && len(r.Earned(s, "")) == len(r.Levels)
}

// Moves tells whether a write to an item of the state may change an award: before and now are
// what the item had and has, and had and has what it alone earned and earns.
func (r *Rule) Moves(before, now map[string]decimal.Decimal, had, has []Award) bool {
	switch was, is := before[r.tally], now[r.tally]; {
	case !r.Spreads():
		return !slices.EqualFunc(had, has, func(a, b Award) bool { return a.Key() == b.Key() })
	case r.kind.looks().presence:
		return was.IsPositive() != is.IsPositive()
	default:
		return !was.Equal(is)
	}
}

// Days returns the days that have earned the rule's award, or come closest to it; none for rules
// that don't ask for days.
func (r *Rule) Days(s State, today string) []string {
	if k, is := r.kind.(dated); is {
		return k.shown(r, s, today)
	}
	return nil
}
