package replication

import (
	"cmp"
	"context"
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

// ApplyBatch brings the changes of applications to the other regions: of each item
// only the newest of the batch, or the one that ranks above the others, the items
// side by side. Changes that replication made itself are skipped or duplicates.
func (m *Mirror) ApplyBatch(ctx context.Context, batch []*change.Change) []error {
	if m.Attribute != "" {
		return eachItem(ctx, m, batch, m.parseRanked, m.applyRanked)
	}
	return eachItem(ctx, m, batch, func(c *change.Change) (mark.Mark, *lastwriter.Edit, error) {
		e, err := lastwriter.NewEdit(c, m.home, m.random())
		if err != nil {
			return "", nil, err
		}
		return e.Mark, e, nil
	}, m.apply)
}

// eachItem parses a batch's changes of the table and applies them, those of an item
// together, the items side by side.
func eachItem[R comparable, V any](ctx context.Context, m *Mirror, batch []*change.Change,
	parse func(c *change.Change) (R, V, error), apply func(context.Context, *consumer.Item[R, V]),
) []error {
	errs := make([]error, len(batch))
	items := consumer.ByItem(batch, func(index int, c *change.Change) (key string, rank R, v V, ok bool) {
		if c.Table != m.Table {
			errs[index] = consumer.Skip
		} else if rank, v, errs[index] = parse(c); errs[index] == nil {
			return c.ItemKey(), rank, v, true
		}
		return key, rank, v, false
	})
	var keys *store.Keys
	var missing error
	if len(items) > 0 {
		keys, missing = m.check(ctx)
	}
	consumer.SideBySide(Concurrency, items, func(i *consumer.Item[R, V]) {
		failed := missing
		if failed == nil {
			failed = keys.Reject(m.Table, batch[i.Versions[0].Index].Keys)
		}
		if failed == nil {
			apply(ctx, i)
		} else {
			i.Fail(failed)
		}
		i.Spread(errs)
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
func (m *Mirror) apply(ctx context.Context, item *consumer.Item[mark.Mark, *lastwriter.Edit]) {
	edits := item.Versions
	if owner := m.Owner(edits[0].Of.Key); owner != "" && owner != m.home {
		for _, e := range edits { // each may have lost
			e.Err = m.lastWriter.ApplyOwned(ctx, e.Of, owner)
		}
		return
	}
	for n := 1; n < len(edits) && m.owners == nil; n++ {
		if err := m.lastWriter.KeepUnseen(ctx, edits[n-1].Of, edits[n].Of); err != nil {
			item.Fail(err)
			return
		}
	}
	own := &consumer.Item[mark.Mark, *lastwriter.Edit]{}
	for _, e := range edits {
		if m.owners == nil && e.Of.Echo() {
			e.Err = m.lastWriter.Apply(ctx, e.Of)
		} else {
			own.Versions = append(own.Versions, e)
		}
	}
	for _, e := range own.Versions {
		e.Of.Unsure = len(own.Versions) > 1
	}
	own.Sort(cmp.Compare)
	own.Apply(func(e *consumer.Version[mark.Mark, *lastwriter.Edit], _ bool) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if m.owners != nil {
			return m.lastWriter.ApplyOwned(ctx, e.Of, m.home)
		}
		return m.lastWriter.Apply(ctx, e.Of)
	})
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
