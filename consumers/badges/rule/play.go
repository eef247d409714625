package rule

import (
	"slices"
	"strings"
	"time"

	"sluice/shared/change"
	"sluice/shared/declaration"
	"sluice/shared/view"
)

// Plays is a block of the file: it says what a play is.
type Plays struct {
	Name   string
	Table  string
	Player string // attribute with the player's name
	At     string // attribute with the play's time
	// SubtractExpired: a play that DynamoDB deletes by time to live counts no more. Otherwise
	// it has been played.
	SubtractExpired bool

	zone  declaration.Node
	from  string     // the earliest date that is believed
	dated *view.View // one of the views that count the plays; nil: no rule counts them
}

// DefaultPlays is the name of a file's only block if the file gives it none. Its states are stored without a name, as they
// were before there were several blocks.
const DefaultPlays = "plays"

// prefix begins AttrOf of all states that the plays make. A nil Plays has none.
func (p *Plays) prefix() string {
	if p == nil || p.Name == DefaultPlays {
		return ""
	}
	return ofPlays + p.Name + "#"
}

// PlayTables returns the tables that have plays, each once, in the order of the file.
func (b *Book) PlayTables() []string {
	var tables []string
	for _, p := range b.Plays {
		if !slices.Contains(tables, p.Table) {
			tables = append(tables, p.Table)
		}
	}
	return tables
}

// Counted reports whether any rule counts the plays.
func (p *Plays) Counted() bool { return p.dated != nil }

// InOrder returns the plays among changes of their table in the order of the plays' times. A change without a time that
// the rules believe isn't among them.
func (p *Plays) InOrder(changes []*change.Change) []Play {
	var plays []Play
	for _, c := range changes {
		if at, err := p.dated.TimeOf(c); err == nil {
			plays = append(plays, Play{c, p, at})
		}
	}
	slices.SortStableFunc(plays, func(p, q Play) int { return p.At.Compare(q.At) })
	return plays
}

// Play is a change with the time of its play, in the play's own zone.
type Play struct {
	*change.Change
	Of *Plays
	At time.Time
}

// EarnedAt is the time of an award that the play earns: the play's, or the change's if the play is dated later.
func (p Play) EarnedAt() string {
	at := p.At
	if p.Time().Before(at) {
		at = p.Time()
	}
	return at.UTC().Format(time.RFC3339Nano)
}

// PlaysOf returns the block whose plays make an item of the state, by its AttrOf; nil if the file has none such.
func (b *Book) PlaysOf(of string) *Plays {
	name := DefaultPlays
	if rest, named := strings.CutPrefix(of, ofPlays); named {
		name, _, _ = strings.Cut(rest, "#")
	}
	return b.block(name)
}

// PlaysOfView returns the block that one of the book's views counts.
func (b *Book) PlaysOfView(v *view.View) *Plays {
	for _, r := range b.Rules {
		if r.tally != "" && r.viewName() == v.Name {
			return r.Plays
		}
	}
	return nil
}

// Day returns the block and the day whose plays an item of the state is of, by its AttrOf; false if it isn't of a day.
func (b *Book) Day(of string) (plays *Plays, label string, ok bool) {
	if plays = b.PlaysOf(of); plays == nil {
		return nil, "", false
	}
	label, ok = strings.CutPrefix(of, plays.prefix()+unitDay+ofBox)
	return plays, label, ok
}

// block returns the block of that name, nil if there is none.
func (b *Book) block(name string) *Plays {
	i := slices.IndexFunc(b.Plays, func(p *Plays) bool { return p.Name == name })
	if i < 0 {
		return nil
	}
	return b.Plays[i]
}
