package operate

import (
	"fmt"

	"sluice/shared/consumer"
)

// What can be wrong with an item. A consumer may have more words.
const (
	Missing   = "missing"   // the source has it, the destination doesn't
	Extra     = "extra"     // the destination has it, the source doesn't, or the declaration doesn't take it
	Different = "different" // both have it, with different values
)

// Difference is an item that isn't in the destination as it should be.
type Difference struct {
	Key  string `json:"key"`  // of the item, for people; what differs about one item must have several keys
	What string `json:"what"` // such as Missing
	// Values are those that differ, if both sides have the item.
	Values []Value `json:"values,omitempty"`
	// Written: the source's side was written while it was compared, so a repair leaves it alone.
	Written bool `json:"written,omitempty"`
	// Repair is what became of its repair; empty if none was wanted.
	Repair string `json:"repair,omitempty"`
	// Refused says why no repair can make it equal, such as a value that the destination can't hold.
	Refused string `json:"refused,omitempty"`
	// Command is the one that helps where a repair doesn't, such as "sluice rebuild revenue".
	Command string `json:"command,omitempty"`

	// Moving: the destination's side changed since the last look, so its changes are in flight. Only the engine reads it.
	Moving bool `json:"-"`
	// Ref is what the Comparison needs to find the item again.
	Ref any `json:"-"`
}

// Repaired notes what became of the repair: err is what the consumer's function would return for its change, destination is for
// people, such as "index". It returns the error of a repair that has to be tried again.
func (d *Difference) Repaired(err error, destination string) error {
	switch consumer.OutcomeOf(err) {
	case consumer.Applied, consumer.Duplicate:
		d.Repair = "repaired"
	case consumer.Stale:
		d.Repair = "left alone: the " + destination + " is newer"
	case consumer.Rejected:
		d.Repair, d.Refused = err.Error(), err.Error()
	default:
		return err
	}
	return nil
}

// Value is an attribute that source and destination have with different values, shortened for people.
type Value struct {
	Path        string `json:"path"` // like address.lines[2]
	Source      string `json:"source"`
	Destination string `json:"destination"`
}

// Look is what one look at both sides found.
type Look struct {
	Items       int          `json:"items"` // of the source that were compared
	Held        int          `json:"held"`  // that the destination has
	Differences []Difference `json:"differences"`
	// Unusable are items that can't be compared; UnusableCount counts those beyond MaxFaults, too.
	Unusable      []Unusable `json:"unusable,omitempty"`
	UnusableCount int        `json:"unusableCount,omitempty"`
	// NotCompared says of a part that wasn't compared at all why.
	NotCompared []string `json:"notCompared,omitempty"`
	Notes       []string `json:"notes,omitempty"` // further lines for people
	// Equal is the sentence for people if nothing differs; empty: the usual one.
	Equal string `json:"-"`
}

// AddUnusable adds an item that can't be compared.
func (l *Look) AddUnusable(table, key string, why error) {
	if l.UnusableCount++; l.UnusableCount <= MaxFaults {
		l.Unusable = append(l.Unusable, Unusable{table, key, why.Error()})
	}
}

// Unusable is an item that can't be compared, and why.
type Unusable struct {
	Table  string `json:"table"` // empty if it is clear which
	Key    string `json:"key"`
	Reason string `json:"reason"`
}

// Report is what a comparison found. Its Differences were there at every look.
type Report struct {
	Title
	Look

	// Unjudged differed at every look, but their destination's side changed all the time: their changes are in flight, and nobody
	// knows whether they are right.
	Unjudged []Difference `json:"unjudged"`
	// Arrived differed at first, and were equal later.
	Arrived int `json:"arrived"`
}

// Count says how many differences there are of a kind, such as Missing.
func (r Report) Count(what string) int {
	n := 0
	for _, d := range r.Differences {
		if d.What == what {
			n++
		}
	}
	return n
}

// Step is the plan's usual step of a repair: it writes what is Missing or Different, and deletes what is Extra if remove is true.
func (r Report) Step(remove bool) Step {
	s := Step{Into: r.Destination, From: r.Source, Held: r.Held, Write: r.Count(Missing) + r.Count(Different)}
	extra := r.Count(Extra)
	switch {
	case extra > 0 && remove:
		s.Remove = extra
	case extra > 0:
		s.Notes = append(s.Notes, fmt.Sprintf("%d items that %s doesn't have stay; --remove-extra deletes them", extra, r.Source))
	}
	if overwritten := r.Count(Different); overwritten*2 > r.Held {
		s.Notes = append(s.Notes, fmt.Sprintf("%d of %d items are overwritten; is %s the right source?", overwritten, r.Held, r.Source))
	}
	return s
}
