package replication

import (
	"cmp"
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"sluice/consumers/replication/internal/lastwriter"
	"sluice/consumers/replication/internal/ranked"
	"sluice/consumers/replication/internal/store"
	"sluice/consumers/replication/mark"
	"sluice/shared/change"
	"sluice/shared/consumer"
)

// Mirror keeps a table the same in several regions, in each of which applications
// write to it. One runs in each region, on that region's stream. It is a
// consumer.Consumer and safe for concurrent use.
type Mirror struct {
	*Shared
	home  string
	peers *store.Peers
	// The conflict rules, of which the table has one. lastWriter has the rule of owners too.
	lastWriter lastwriter.Rule
	ranked     ranked.Rule
	random     func() uint64
	keys       atomic.Pointer[store.Keys] // the table's; nil until it is known that the tables are there and have them in all regions
}

var _ consumer.Measurer = (*Mirror)(nil)

// newMirror returns a Mirror for the region of cfg. random names writes; no two
// instances may draw the same.
func newMirror(cfg aws.Config, s Settings, shared *Shared, now func() time.Time, random func() uint64) *Mirror {
	peers := s.Peers(cfg, shared, now)
	return &Mirror{
		home: cfg.Region, Shared: shared, peers: peers, random: random,
		lastWriter: lastwriter.Rule{Peers: peers}, ranked: ranked.Rule{Peers: peers},
	}
}

// Peers returns a shared table in all its regions, of which that of cfg is home.
func (s Settings) Peers(cfg aws.Config, shared *Shared, now func() time.Time) *store.Peers {
	peers := &store.Peers{Conflicts: s.ConflictTable}
	for _, region := range shared.Regions {
		t := s.Destination(cfg, &Route{Region: region, Table: shared.Table}, now)
		if region == cfg.Region {
			peers.Home = t
		} else {
			peers.Other = append(peers.Other, t)
		}
	}
	return peers
}

// indexed is what a conflict rule makes of a change.
type indexed[C any] struct {
	change C
	index  int // in the batch
}

// ApplyBatch brings the changes of applications to the other regions: of each item
// only the newest of the batch, or the one that ranks above the others, the items
// side by side. Changes that replication made itself are skipped or duplicates.
func (m *Mirror) ApplyBatch(ctx context.Context, batch []*change.Change) []error {
	if m.Attribute != "" {
		return eachItem(ctx, m, batch, func(c *change.Change) (*ranked.Change, error) { return ranked.NewChange(c, m.Attribute) }, m.applyRanked)
	}
	return eachItem(ctx, m, batch, func(c *change.Change) (*lastwriter.Edit, error) { return lastwriter.NewEdit(c, m.home, m.random()) }, m.apply)
}

// eachItem parses a batch's changes of the table and applies them, those of an item
// together, the items side by side.
func eachItem[C any](ctx context.Context, m *Mirror, batch []*change.Change,
	parse func(c *change.Change) (C, error), apply func(ctx context.Context, changes []indexed[C], errs []error),
) []error {
	errs := make([]error, len(batch))
	var items [][]indexed[C]
	of := map[string]int{}
	for i, c := range batch {
		if c.Table != m.Table {
			errs[i] = consumer.Skip
			continue
		}
		parsed, err := parse(c)
		if err != nil {
			errs[i] = err
			continue
		}
		key := c.ItemKey()
		n, ok := of[key]
		if !ok {
			n, items = len(items), append(items, nil)
			of[key] = n
		}
		items[n] = append(items[n], indexed[C]{parsed, i})
	}
	var keys *store.Keys
	var missing error
	if len(items) > 0 {
		keys, missing = m.check(ctx)
	}
	consumer.SideBySide(Concurrency, items, func(changes []indexed[C]) {
		failed := missing
		if failed == nil {
			failed = keys.Reject(m.Table, batch[changes[0].index].Keys)
		}
		if failed == nil {
			apply(ctx, changes, errs)
			return
		}
		for _, c := range changes {
			errs[c.index] = failed
		}
	})
	where := "shared table " + m.Name
	for i, err := range errs {
		if consumer.OutcomeOf(err) == consumer.Retry { // of what came to no table yet
			err = consumer.At(where, err)
		}
		errs[i] = consumer.In(where, err)
	}
	return errs
}

// check looks once whether the tables are there and fit, and returns their keys.
func (m *Mirror) check(ctx context.Context) (*store.Keys, error) {
	if keys := m.keys.Load(); keys != nil {
		return keys, nil
	}
	found, err := m.peers.Check(ctx)
	if err != nil {
		return nil, err
	}
	m.keys.Store(&found)
	return &found, nil
}

// apply applies the newest edit of an item. The older ones may have been left
// half-done by a function that died, so it looks closer.
func (m *Mirror) apply(ctx context.Context, edits []indexed[*lastwriter.Edit], errs []error) {
	if owner := m.Owner(edits[0].change.Key); owner != "" && owner != m.home {
		for _, e := range edits { // each may have lost
			errs[e.index] = m.lastWriter.ApplyOwned(ctx, e.change, owner)
		}
		return
	}
	for n := 1; n < len(edits) && m.owners == nil; n++ {
		if err := m.lastWriter.KeepUnseen(ctx, edits[n-1].change, edits[n].change); err != nil {
			for _, e := range edits {
				errs[e.index] = err
			}
			return
		}
	}
	edits = slices.DeleteFunc(edits, func(e indexed[*lastwriter.Edit]) bool {
		if m.owners != nil || !e.change.Echo() {
			return false
		}
		errs[e.index] = m.lastWriter.Apply(ctx, e.change)
		return true
	})
	slices.SortStableFunc(edits, func(a, b indexed[*lastwriter.Edit]) int { return cmp.Compare(b.change.Mark, a.change.Mark) })
	marks := make([]mark.Mark, len(edits))
	for n, e := range edits {
		marks[n], e.change.Unsure = e.change.Mark, len(edits) > 1
	}
	outcomes, _ := applyNewest(marks, func(n int) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if m.owners != nil {
			return m.lastWriter.ApplyOwned(ctx, edits[n].change, m.home)
		}
		return m.lastWriter.Apply(ctx, edits[n].change)
	})
	for n, e := range edits {
		errs[e.index] = outcomes[n]
	}
}

// Metrics counts Ties, as Replication does, and ConflictsLost: versions that lost
// to one written at the same time in another region, and are kept in the log. It
// implements consumer.Measurer.
func (m *Mirror) Metrics() map[string]int {
	ties := int64(0)
	for _, t := range m.peers.All() {
		ties += t.Ties.Swap(0)
	}
	return map[string]int{"Ties": int(ties), "ConflictsLost": int(m.peers.ConflictsLost.Swap(0))}
}
