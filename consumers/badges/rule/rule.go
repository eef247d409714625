package rule

import (
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"sluice/shared/declaration"
	"sluice/shared/view"
)

// Book is what a file of rules declares.
type Book struct {
	Plays []*Plays // the blocks, in the order of the file
	Rules []*Rule
	// Views keep the players' states, in items of the state table with keys Player and Of.
	Views []*view.View
	// OfTable are the same views, in the same order, as they make the states of nothing but
	// the plays in the table, for a rebuild.
	OfTable []*view.View
}

// Keys of the items of the state table.
const (
	AttrPlayer = "Player"
	AttrOf     = "Of"
)

// The values of AttrOf: of all plays, of those of a day, week or month, or of those
// with one value of an attribute. Before them stands the block of plays, unless it is DefaultPlays.
const (
	OfTotal   = "total"
	ofBox     = "#" // between unit and label: day#2024-01-15
	ofEach    = "each#"
	ofPlays   = "from#"
	unitDay   = "day"
	unitWeek  = "week"
	unitMonth = "month"
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

	// Repeat is how often the badge is earned at most, at each multiple of what it needs; 1: once.
	Repeat int64
	All    []string // what an All needs
	Source Source   // of an Item
	Plays  *Plays   // that it counts; nil for rules that look at no plays

	kind  kind
	at    declaration.Position
	from  string                  // the block of plays, if the file states it
	where []declaration.Condition // which plays count
	tally string                  // attribute of the state with the sum or count
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

// BadgeOf returns the badge of an award's key.
func BadgeOf(key string) string {
	badge, _, _ := strings.Cut(key, "#")
	return badge
}

// Has reports whether an award is among others.
func Has(awards []Award, award Award) bool {
	return slices.ContainsFunc(awards, func(a Award) bool { return a.Key() == award.Key() })
}

// Rule returns the rule of that name, nil if there is none.
func (b *Book) Rule(name string) *Rule {
	for _, r := range b.Rules {
		if r.Name == name {
			return r
		}
	}
	return nil
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
func (r *Rule) prefix() string { return r.Plays.prefix() + r.kind.looks().prefix() }

// Tally is the attribute of the state's items with what the rule counts.
func (r *Rule) Tally() string { return r.tally }
