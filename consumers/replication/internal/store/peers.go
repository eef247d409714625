package store

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
)

// Peers are the tables of one name in all regions, each of which its region's
// applications write to. They are safe for concurrent use.
type Peers struct {
	Home  *Table   // in the region whose changes are brought to the others
	Other []*Table // in all other regions
	// Conflicts is the table, in each region, that keeps what lost: see KeepLost.
	Conflicts string
	// ConflictsLost counts the rows that are new in the conflict log.
	ConflictsLost atomic.Int64
}

// Check asks whether the tables are there in all regions and have the right keys: those of the home table, which Check returns. What
// is wrong is no rejection: once the tables are right, the changes can be written.
func (p *Peers) Check(ctx context.Context) (Keys, error) {
	home, err := p.Home.keys(ctx, p.Home.Name)
	if err != nil {
		return nil, fmt.Errorf("look at the keys, which must be the same in all regions: %w", err)
	}
	for _, t := range p.All() {
		if err := t.checkTable(ctx, t.Name, fmt.Sprintf("table %s (%s)", p.Home.Name, p.Home.Region), home); err != nil {
			return nil, err
		}
		if err := t.checkTombstones(ctx); err != nil {
			return nil, err
		}
		if err := t.checkTable(ctx, p.Conflicts, "a conflict log", Keys{ConflictKey: "B", ConflictMark: "B"}); err != nil {
			return nil, err
		}
	}
	return home, nil
}

// All returns the tables of all regions, the home region's first.
func (p *Peers) All() []*Table { return append([]*Table{p.Home}, p.Other...) }

// In returns the table in a region; the home table for an unknown one.
func (p *Peers) In(region string) *Table {
	for _, t := range p.Other {
		if t.Region == region {
			return t
		}
	}
	return p.Home
}

// From returns the same tables as a region sees them.
func (p *Peers) From(home *Table) *Peers {
	return &Peers{Home: home, Other: slices.DeleteFunc(p.All(), func(t *Table) bool { return t == home }), Conflicts: p.Conflicts}
}
