package rule

import (
	"cmp"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"sluice/shared/declaration"
	"sluice/shared/view"
)

// Book is what a file of rules declares.
type Book struct {
	Plays Plays
	Rules []*Rule
	// Views keep the players' states, in items of the state table with keys Player and Of.
	Views []*view.View
	// OfTable are the same views, in the same order, as they make the states of nothing but
	// the plays in the table, for a rebuild.
	OfTable []*view.View
}

// Plays says what a play is.
type Plays struct {
	Table  string
	Player string // attribute with the player's name
	At     string // attribute with the play's time
	// SubtractExpired: a play that DynamoDB deletes by time to live counts no more. Otherwise
	// it has been played.
	SubtractExpired bool
	zone            declaration.Node
	from            string // the earliest date that is believed
}

// Keys of the items of the state table.
const (
	AttrPlayer = "Player"
	AttrOf     = "Of"
)

// The values of AttrOf: of all plays, of those of a day, week or month, or of those
// with one value of an attribute.
const (
	OfTotal   = "total"
	ofBox     = "#" // between unit and label: day#2024-01-15
	ofEach    = "each#"
	unitDay   = "day"
	unitWeek  = "week"
	unitMonth = "month"
)

// Kind says what a rule asks for.
type Kind string

// The kinds of rules, as the file names them.
const (
	First    Kind = "first"    // one play, or one with each value of an attribute
	Count    Kind = "count"    // so many plays
	Total    Kind = "total"    // a sum of an attribute
	Streak   Kind = "streak"   // plays on so many days in a row
	Window   Kind = "window"   // so many plays within some days
	Distinct Kind = "distinct" // plays with so many values of an attribute
	All      Kind = "all"      // other badges
	Item     Kind = "item"     // an item of any table that is there for the first time
)

// Rule is one declared rule.
type Rule struct {
	Name        string
	Kind        Kind
	Title, Text map[string]string // by language
	Levels      []Level           // by what they need, at least one
	Hidden      bool              // progress isn't shown before it is earned
	Revoke      bool              // an award whose plays are corrected is taken back
	Quiet       bool              // nobody is told
	EventType   string            // of the notice

	// Repeat is how often the badge is earned at most: at each multiple of what it
	// needs; 1: once. RepeatBox: once in each Box.
	Repeat    int64
	RepeatBox bool
	Box       string // day, week or month in which it all has to happen; empty: ever
	Days      int    // of a Window
	Grace     int    // days that a Streak may miss
	Of        string // attribute: summed by Total, told apart by Distinct and First
	All       []string

	Source Source // of an Item

	at    declaration.Position
	where []declaration.Condition // which plays count
	tally string                  // attribute of the state with the sum or count
}

// Source is where an Item comes from.
type Source struct {
	Table, Player string
	// Each are the attributes whose values tell items apart.
	Each []string
	// Formerly is the attribute that alone told items apart earlier; empty: none did.
	Formerly string
	where    []declaration.Condition
}

// Level is a step of a badge: bronze, silver. A badge without levels has one without a name.
type Level struct {
	Name string
	Need decimal.Decimal
}

// Award is a badge that a player has earned.
type Award struct {
	Badge string
	Level string // empty: it has none
	// Of tells apart awards of one badge and level: how manieth of a repeated one, the
	// box, or the value that was there for the first time; else empty.
	Of string
	// Formerly is the key that the award of the same item had earlier, if another attribute
	// told items apart then; empty: none. It isn't part of what the award is.
	Formerly string
	// On is the day that completed it, for rules of days; it isn't part of what the award
	// is. A play that arrives late may complete another run of days earlier: then the day
	// of an award that is stored stays.
	On string
}

// Key names the award among a player's: badge, badge#level, or badge#level#of.
func (a Award) Key() string {
	switch {
	case a.Of != "":
		return a.Badge + "#" + a.Level + "#" + a.Of
	case a.Level != "":
		return a.Badge + "#" + a.Level
	}
	return a.Badge
}

// Day returns the day whose plays an item of the state is of, by its AttrOf.
func Day(of string) (label string, ok bool) { return strings.CutPrefix(of, unitDay+ofBox) }

// Rule returns the rule of that name, nil if there is none.
func (b *Book) Rule(name string) *Rule {
	for _, r := range b.Rules {
		if r.Name == name {
			return r
		}
	}
	return nil
}

// Combines tells whether any rule is of kind All.
func (b *Book) Combines() bool {
	return slices.ContainsFunc(b.Rules, func(r *Rule) bool { return r.Kind == All })
}

// OfItem returns the rules that look at an item of the state, by its AttrOf.
func (b *Book) OfItem(of string) []*Rule {
	var rules []*Rule
	for _, r := range b.Rules {
		if r.tally != "" && strings.HasPrefix(of, r.prefix()) {
			rules = append(rules, r)
		}
	}
	return rules
}

// prefix begins AttrOf of the items that the rule looks at.
func (r *Rule) prefix() string {
	switch {
	case r.Kind == Distinct || r.Kind == First && r.Of != "":
		return ofEach + r.Of + "#"
	case r.Kind == Streak || r.Kind == Window:
		return unitDay + ofBox
	case r.Box != "":
		return r.Box + ofBox
	}
	return OfTotal
}

// Spreads tells whether one award may depend on several items of the state. Then it
// takes more than the one item that a play has changed to know it.
func (r *Rule) Spreads() bool {
	return r.Kind == Streak || r.Kind == Window || r.Kind == Distinct
}

// Valued reports whether the rule has an award for each value that items have: then a
// player may have any number of them.
func (r *Rule) Valued() bool { return r.Kind == Item || r.Kind == First && r.Of != "" }

// Tally is the attribute of the state's items with what the rule counts.
func (r *Rule) Tally() string { return r.tally }

// Near returns the bounds of AttrOf between which the items are that may earn an award
// together with one that has changed.
func (r *Rule) Near(of string) (from, to string) {
	switch r.Kind {
	case Streak, Window:
		day, ok := dayOf(strings.TrimPrefix(of, r.prefix()))
		if !ok {
			return of, of
		}
		span := r.Days - 1
		if r.Kind == Streak {
			span = int(r.Levels[len(r.Levels)-1].Need.IntPart()) - 1 + r.Grace
		}
		// A label of five digits for the year would sort before all others.
		return r.prefix() + labelOf(day-span), r.prefix() + labelOf(min(day+span, lastDay))
	case Distinct:
		return r.prefix(), r.prefix() + "\U0010FFFF"
	}
	return of, of
}

func sortLevels(levels []Level) {
	slices.SortStableFunc(levels, func(a, b Level) int { return cmp.Or(a.Need.Cmp(b.Need), cmp.Compare(a.Name, b.Name)) })
}
