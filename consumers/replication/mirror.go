package replication

import (
	"cmp"
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"golang.org/x/sync/errgroup"

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

// edit is one change with what became of it.
type edit struct {
	*lastwriter.Edit
	index int // in the batch
}

// ApplyBatch brings the changes of applications to the other regions: of each item
// only the newest of the batch, or the one that ranks above the others, the items
// side by side. Changes that replication made itself are skipped or duplicates.
func (m *Mirror) ApplyBatch(ctx context.Context, batch []*change.Change) []error {
	if m.Attribute != "" {
		return eachItem(ctx, m, batch, m.parseRanked, m.applyRanked)
	}
	return eachItem(ctx, m, batch, m.parseEdit, m.apply)
}

func (m *Mirror) parseEdit(index int, c *change.Change) (edit, error) {
	e, err := lastwriter.NewEdit(c, m.home, m.random())
	return edit{e, index}, err
}

// eachItem parses a batch's changes of the table and applies them, those of an item
// together, the items side by side.
func eachItem[E any](ctx context.Context, m *Mirror, batch []*change.Change,
	parse func(index int, c *change.Change) (E, error), apply func(ctx context.Context, changes []E, errs []error),
) []error {
	errs := make([]error, len(batch))
	var items [][]E
	var indexes [][]int // of their changes
	of := map[string]int{}
	for i, c := range batch {
		if c.Table != m.Table {
			errs[i] = consumer.Skip
			continue
		}
		e, err := parse(i, c)
		if err != nil {
			errs[i] = err
			continue
		}
		key := c.ItemKey()
		n, ok := of[key]
		if !ok {
			n, items, indexes = len(items), append(items, nil), append(indexes, nil)
			of[key] = n
		}
		items[n], indexes[n] = append(items[n], e), append(indexes[n], i)
	}
	var keys *store.Keys
	var missing error
	if len(items) > 0 {
		keys, missing = m.check(ctx)
	}
	var work errgroup.Group
	work.SetLimit(Concurrency)
	for n, changes := range items {
		failed := missing
		if failed == nil {
			failed = keys.Reject(m.Table, batch[indexes[n][0]].Keys)
		}
		if failed != nil {
			for _, i := range indexes[n] {
				errs[i] = failed
			}
			continue
		}
		work.Go(func() error {
			apply(ctx, changes, errs)
			return nil
		})
	}
	_ = work.Wait() // errors are in errs
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
func (m *Mirror) apply(ctx context.Context, edits []edit, errs []error) {
	if owner := m.Owner(edits[0].Key); owner != "" && owner != m.home {
		for _, e := range edits { // each may have lost
			errs[e.index] = m.lastWriter.ApplyOwned(ctx, e.Edit, owner)
		}
		return
	}
	for n := 1; n < len(edits) && m.owners == nil; n++ {
		if err := m.lastWriter.KeepUnseen(ctx, edits[n-1].Edit, edits[n].Edit); err != nil {
			for _, e := range edits {
				errs[e.index] = err
			}
			return
		}
	}
	edits = slices.DeleteFunc(edits, func(e edit) bool {
		if m.owners != nil || !e.Echo() {
			return false
		}
		errs[e.index] = m.lastWriter.Apply(ctx, e.Edit)
		return true
	})
	slices.SortStableFunc(edits, func(a, b edit) int { return cmp.Compare(b.Mark, a.Mark) })
	marks := make([]mark.Mark, len(edits))
	for n, e := range edits {
		marks[n], e.Unsure = e.Mark, len(edits) > 1
	}
	outcomes, _ := applyNewest(marks, func(n int) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return m.bring(ctx, edits[n].Edit)
	})
	for n, e := range edits {
		errs[e.index] = outcomes[n]
	}
}

// bring brings an edit to the other regions.
func (m *Mirror) bring(ctx context.Context, e *lastwriter.Edit) error {
	if m.owners != nil {
		return m.lastWriter.ApplyOwned(ctx, e, m.home)
	}
	return m.lastWriter.Apply(ctx, e)
}

// Metrics counts Ties, as Replication does, and ConflictsLost: versions that lost
// to one written at the same time in another region, and are kept in the log. It
// implements consumer.Measurer.
func (m *Mirror) Metrics() map[string]int {
	ties := m.peers.Home.Ties.Swap(0)
	for _, t := range m.peers.Other {
		ties += t.Ties.Swap(0)
	}
	return map[string]int{"Ties": int(ties), "ConflictsLost": int(m.peers.ConflictsLost.Swap(0))}
}
