package search

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"sluice/shared/change"
	"sluice/shared/consumer"
)

// Search keeps indexes the same as tables. It is a consumer.Consumer and safe for
// concurrent use.
type Search struct {
	client  *client
	routes  []*Route
	horizon time.Duration
	now     func() time.Time
	pace    pace

	mu        sync.Mutex // guards what follows
	nextPurge time.Time
	counts    map[string]int
}

var _ consumer.Measurer = (*Search)(nil)

// New returns a Search of the shipped routes. It makes no call. The error names
// every setting that is wrong.
func New(cfg aws.Config, s Settings) (*Search, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	routes, err := s.Routes()
	if err != nil {
		return nil, err
	}
	return newOf(cfg, s, routes, time.Now)
}

func newOf(cfg aws.Config, s Settings, routes []*Route, now func() time.Time) (*Search, error) {
	client, err := newClient(cfg, s)
	if err != nil {
		return nil, err
	}
	return &Search{
		client: client, routes: routes, horizon: s.Horizon, now: now,
		// Many instances start at one time.
		nextPurge: now().Add(purgeAfter + rand.N(purgeAfter)),
		counts:    map[string]int{},
	}, nil
}

// item is what a batch does to one item of a route.
type item struct {
	to       *Route
	id       string
	first    int     // where in the batch its first change is
	versions []*edit // newest first
	next     int     // the one that is tried
	tried    int     // the one that was tried last
}

// edit is one change of an item.
type edit struct {
	index   int // in the batch
	change  *change.Change
	effect  effect
	version int64
	err     error // what became of it
}

// ApplyBatch brings the indexes up to date with as few requests as their size
// allows: of each item only the newest change of the batch is written, or, if the
// index can never take that, the one before it. If the time isn't enough for all, the
// first of the batch are done.
func (s *Search) ApplyBatch(ctx context.Context, batch []*change.Change) []error {
	outcomes := make([][]error, len(batch)) // of each change at its routes
	var items []*item
	for _, r := range s.routes {
		items = append(items, s.group(r, batch, outcomes)...)
	}
	s.writeAll(ctx, slices.Clone(items))
	for _, i := range items {
		for _, e := range i.versions {
			where := "index " + i.to.Index // one may be blocked while others take documents
			outcomes[e.index] = append(outcomes[e.index], consumer.In(where, consumer.At(where, e.err)))
		}
	}
	s.purge(ctx)
	errs := make([]error, len(batch))
	for i, parts := range outcomes {
		errs[i] = consumer.Combine(parts)
	}
	return errs
}

// group sorts the changes that concern a route by item, in the batch's order. What
// can't be indexed it rejects at once.
func (s *Search) group(r *Route, batch []*change.Change, outcomes [][]error) []*item {
	var items []*item
	byID := map[string]*item{}
	for index, c := range batch {
		if c.Table != r.Source {
			continue
		}
		effect := r.effect(c)
		if effect == nothing {
			continue
		}
		version, err := s.check(c)
		if err == nil && effect == put {
			err = r.refuse(c)
		}
		if err != nil {
			outcomes[index] = append(outcomes[index], consumer.In("index "+r.Index, err))
			continue
		}
		id := documentID(c.Keys)
		if byID[id] == nil {
			byID[id] = &item{to: r, id: id, first: index}
			items = append(items, byID[id])
		}
		byID[id].versions = append(byID[id].versions, &edit{index: index, change: c, effect: effect, version: version})
	}
	for _, i := range items {
		slices.SortStableFunc(i.versions, func(a, b *edit) int { return cmp.Compare(b.version, a.version) })
		if i.ties() {
			s.count("Ties", 1)
		}
	}
	return items
}

// check returns a change's version, or why it can never be applied.
func (s *Search) check(c *change.Change) (int64, error) {
	if age := s.now().Sub(c.Time()); age > s.horizon {
		return 0, consumer.RejectFor(consumer.TooOld, fmt.Errorf("%v old; removed items are remembered for %v", age.Round(time.Second), s.horizon))
	}
	v, err := version(c)
	if err != nil {
		return 0, consumer.Reject(err)
	}
	return v, nil
}

// write tries the items' newest versions that haven't been tried.
func (s *Search) write(ctx context.Context, items []*item) {
	operations := make([]*operation, len(items))
	var documents []byte // of all of them
	for n, i := range items {
		operations[n], documents = i.operation(documents, s.now())
		if n == 0 { // most are alike
			documents = slices.Grow(documents, min(len(documents)*len(items), maxBulk))
		}
	}
	s.client.writeLive(ctx, operations)
	if missing := s.makeIndexes(ctx, operations); len(missing) > 0 {
		s.client.writeLive(ctx, missing)
	}
	for n, i := range items {
		if errors.Is(operations[n].err, errNoIndex) {
			operations[n].err = fmt.Errorf("alias %s isn't there, though index %s is: give it both aliases, %s and %s, or remove it", i.to.all(), i.to.first(), i.to.Index, i.to.all())
		}
		i.note(operations[n].err)
		if operations[n].tie {
			s.count("Ties", 1)
		}
	}
}

// makeIndexes makes the indexes that operations missed, and returns these operations.
func (s *Search) makeIndexes(ctx context.Context, operations []*operation) (missing []*operation) {
	made := map[*Route]error{}
	for _, o := range operations {
		if !errors.Is(o.err, errNoIndex) {
			continue
		}
		err, tried := made[o.to]
		if !tried {
			err = s.client.make(ctx, o.to)
			made[o.to] = err
		}
		if err != nil {
			o.err = err
			continue
		}
		missing = append(missing, o)
	}
	return missing
}

// operation returns the writing of the item's version that is tried. Its document is
// appended to documents.
func (i *item) operation(documents []byte, now time.Time) (*operation, []byte) {
	e, start := i.versions[i.next], len(documents)
	if e.effect == remove {
		documents = appendTombstone(documents, e.change, now)
	} else {
		documents = i.to.appendDocument(documents, e.change, now)
	}
	return &operation{to: i.to, id: i.id, version: e.version, document: documents[start:len(documents):len(documents)]}, documents
}

// note notes what became of the version that was tried, and of the older ones: if it
// has to come again, they have to, since an older one, applied alone, would be seen
// as the newest for a while.
func (i *item) note(err error) {
	tried := i.versions[i.next]
	tried.err = err
	i.tried = i.next
	i.next++
	outcome := consumer.OutcomeOf(err)
	if outcome == consumer.Rejected {
		return
	}
	for ; i.next < len(i.versions); i.next++ {
		older := i.versions[i.next]
		switch {
		case outcome == consumer.Retry:
			older.err = err
		case older.version == tried.version:
			older.err = consumer.Duplicate
		default:
			older.err = consumer.Stale
		}
	}
}

// retries tells whether the item has to be written again.
func (i *item) retries() bool { return consumer.OutcomeOf(i.versions[i.tried].err) == consumer.Retry }

// done tells whether it is known what becomes of every version.
func (i *item) done() bool { return i.next == len(i.versions) }

// ties tells whether the newest version has the time of the one before it.
func (i *item) ties() bool {
	return len(i.versions) > 1 && tie(i.versions[0].version, i.versions[1].version)
}

func (s *Search) count(name string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[name] += n
}

// Metrics counts Ties: how often a change met another one of its item with the same
// time; Purged tombstones; and FailedPurges. It implements consumer.Measurer.
func (s *Search) Metrics() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := map[string]int{"Ties": 0, "Purged": 0, "FailedPurges": 0}
	for name, n := range s.counts {
		counts[name] = n
	}
	clear(s.counts)
	return counts
}

const (
	// purgeAfter is how old an instance is when it purges first, at least.
	purgeAfter = time.Hour
	// purgeEvery is how long it waits then.
	purgeEvery = 24 * time.Hour
	// purgeMargin is how long a tombstone outlives the horizon, so that clocks may differ.
	purgeMargin = 25 * time.Hour
)

// purge removes, once a day, tombstones that no change is old enough to need. If it
// fails, the next batch's instance tries; nothing depends on it but space.
func (s *Search) purge(ctx context.Context) {
	if !s.purgeIsDue() {
		return
	}
	for _, r := range s.routes {
		purged, err := s.client.purge(ctx, r, s.now().Add(-s.horizon-purgeMargin))
		s.count("Purged", purged)
		if err != nil {
			s.count("FailedPurges", 1)
			slog.WarnContext(ctx, "tombstones stay a day longer than they need to", "index", r.Index, "error", err)
		}
	}
}

func (s *Search) purgeIsDue() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now().Before(s.nextPurge) {
		return false
	}
	s.nextPurge = s.now().Add(purgeEvery)
	return true
}
