package replication

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/consumers/replication/internal/oneway"
	"sluice/consumers/replication/internal/store"
	"sluice/consumers/replication/mark"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/declaration"
)

// Concurrency is how many items are written side by side.
const Concurrency = 32

// Replication copies changes along its routes. It is a consumer.Consumer and
// safe for concurrent use.
type Replication struct {
	home         string
	destinations []*destination
	mirrors      []*Mirror
}

var _ consumer.Measurer = (*Replication)(nil)

// destination is where a route leads.
type destination struct {
	*Route
	copy oneway.Copy
	keys atomic.Pointer[store.Keys] // the table's; nil until it is known that the tables are there and have the source's keys
}

// Main is the main function of a pipeline's replication, see [consumer.MainOf].
func Main(p declaration.Pipeline) {
	consumer.MainOf("replication", p, DefaultSettings(), func(cfg aws.Config, d declaration.Declarations, s Settings) (consumer.Consumer, error) {
		return New(cfg, d, s)
	})
}

// New returns a Replication of the declared routes, with clients made from cfg, whose region is that of the sources. It makes no
// call. The error names every setting that is wrong, or every fault of the declarations.
func New(cfg aws.Config, d declaration.Declarations, s Settings) (*Replication, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	routes, shared, err := Declared(d, cfg.Region)
	if err != nil {
		return nil, err
	}
	r := NewOf(cfg, s, routes, time.Now)
	for _, table := range shared {
		r.mirrors = append(r.mirrors, newMirror(cfg, s, table, time.Now, rand.Uint64))
	}
	return r, nil
}

// NewOf is New of other routes, by another clock.
func NewOf(cfg aws.Config, s Settings, routes []*Route, now func() time.Time) *Replication {
	r := &Replication{home: cfg.Region}
	for _, route := range routes {
		r.destinations = append(r.destinations, &destination{Route: route, copy: oneway.Copy{Table: s.Destination(cfg, route, now)}})
	}
	return r
}

// Destination returns the copy that a route leads to. Each has a client of its own, so
// that one which throttles slows down no other.
func (s Settings) Destination(cfg aws.Config, route *Route, now func() time.Time) *store.Table {
	return &store.Table{
		Client: dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) {
			o.Region, o.EndpointResolverV2 = route.Region, newEndpoints()
		}),
		Region:     route.Region,
		Name:       route.Table,
		Tombstones: s.TombstoneTable,
		Horizon:    s.Horizon,
		Now:        now,
	}
}

// ApplyBatch brings the copies up to date: of each item only the newest change of
// the batch is written, the items side by side. What becomes of a change that
// several routes take, consumer.Combine tells.
func (r *Replication) ApplyBatch(ctx context.Context, batch []*change.Change) []error {
	outcomes := make([][]error, len(batch)) // of each change at its destinations
	var items []*item
	// Each destination's items have goroutines of their own, so that one which
	// doesn't answer keeps nothing from the others.
	var work sync.WaitGroup
	for _, d := range r.destinations {
		ofDestination := d.group(batch, r.home, outcomes)
		items = append(items, ofDestination...)
		if len(ofDestination) > 0 {
			work.Go(func() {
				d.check(ctx, ofDestination)
				applyAll(ctx, ofDestination)
				d.finishPuts(ctx, ofDestination)
			})
		}
	}
	mirrored := make([][]error, len(r.mirrors))
	for n, m := range r.mirrors {
		work.Go(func() { mirrored[n] = m.ApplyBatch(ctx, batch) })
	}
	work.Wait()
	for _, i := range items {
		where := i.to.where()
		for _, v := range i.Versions {
			outcomes[v.Index] = append(outcomes[v.Index], consumer.In(where, i.to.copy.At(v.Err)))
		}
	}
	for _, errs := range mirrored {
		for i, err := range errs {
			outcomes[i] = append(outcomes[i], err)
		}
	}
	return consumer.CombineAll(outcomes)
}

// applyAll applies the items side by side, in half of the time: finishPuts needs the rest, or
// an item that has to look for a tombstone is never done in a batch that doesn't fit its time.
// Each goroutine takes many items: the SDK's calls need a deep stack, which would grow anew
// for every item.
func applyAll(ctx context.Context, items []*item) {
	ctx, cancel := consumer.HalfOf(ctx)
	defer cancel()
	var work sync.WaitGroup
	var next atomic.Int64
	for range min(Concurrency, len(items)) {
		work.Go(func() {
			for n := next.Add(1) - 1; n < int64(len(items)); n = next.Add(1) - 1 {
				items[n].apply(ctx)
			}
		})
	}
	work.Wait()
}

// Metrics counts Ties: how often a change met another one of its item with the
// same time; and, if tables are shared, what Mirror counts. It implements
// consumer.Measurer.
func (r *Replication) Metrics() map[string]int {
	ties := int64(0)
	for _, d := range r.destinations {
		ties += d.copy.Ties.Swap(0)
	}
	counts := map[string]int{"Ties": int(ties)}
	for _, m := range r.mirrors {
		for name, n := range m.Metrics() {
			counts[name] += n
		}
	}
	return counts
}

// item is what a batch does to one item of a destination.
type item struct {
	*consumer.Item[mark.Mark, effect]
	to      *destination
	failed  error           // why no version can be applied now
	pending *oneway.Pending // the put of the one that was, if it has to look for a tombstone
}

// effect is what a change does to the copy.
type effect struct {
	*change.Change
	declaration.Effect
}

// group sorts a batch's changes that concern the destination by item, in the
// batch's order. What can't be copied it rejects at once.
func (d *destination) group(batch []*change.Change, home string, outcomes [][]error) []*item {
	var items []*item
	for _, i := range consumer.ByItem(batch, func(index int, c *change.Change) (key string, m mark.Mark, e effect, ok bool) {
		if e.Change = c; c.Table == d.Source {
			e.Effect = d.effect(c)
		}
		if e.Effect == declaration.Nothing {
			return key, m, e, false
		}
		if _, err := mark.InImage(c.New); e.Effect == declaration.Put && err != nil {
			err = consumer.Reject(fmt.Errorf("the attribute is reserved for replication: %w", err))
			outcomes[index] = append(outcomes[index], consumer.In(d.where(), err))
			return key, m, e, false
		}
		return c.ItemKey(), mark.Of(c, home), e, true
	}) {
		i.Sort(cmp.Compare)
		items = append(items, &item{Item: i, to: d})
	}
	return items
}

// where says where an error arose, for consumer.In.
func (d *destination) where() string { return "replica " + d.Name }

// check looks once whether the destination's tables are there and fit. If not, everything waits for them. A change whose own keys are
// others than its neighbours' is rejected, and they are not.
func (d *destination) check(ctx context.Context, items []*item) {
	keys := d.keys.Load()
	if keys == nil {
		images := make([]change.Image, len(items))
		for n, i := range items {
			images[n] = i.Versions[0].Of.Keys
		}
		found, err := d.copy.Check(ctx, d.Source, images)
		if err != nil {
			for _, i := range items {
				i.failed = err
			}
			return
		}
		keys = &found
		d.keys.Store(keys)
	}
	for _, i := range items {
		i.failed = keys.Reject(d.Source, i.Versions[0].Of.Keys)
	}
}

// apply applies the newest version, and notes what becomes of each.
func (i *item) apply(ctx context.Context) {
	i.Apply(func(v *consumer.Version[mark.Mark, effect], passesOver bool) (err error) {
		if i.failed != nil {
			return i.failed
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		i.pending, err = i.to.apply(ctx, v.Of, v.Rank, passesOver)
		return err
	})
	applied := i.Versions[i.Tried]
	for _, older := range i.Versions[i.Tried+1:] {
		if older.Rank.Ties(applied.Rank) && consumer.OutcomeOf(applied.Err) != consumer.Retry {
			i.to.copy.Ties.Add(1)
		}
	}
}

// finishPuts ends the puts that have to look for a tombstone, all of a batch together:
// that saves a call for each.
func (d *destination) finishPuts(ctx context.Context, items []*item) {
	items = slices.DeleteFunc(slices.Clone(items), func(i *item) bool { return i.pending == nil })
	puts := make([]*oneway.Pending, len(items))
	for n, i := range items {
		puts[n] = i.pending
	}
	for n, err := range d.copy.Finish(ctx, puts) {
		items[n].Again()
		items[n].Record(err)
	}
}

// apply applies one version to the copy; passesOver tells that older ones won't be.
// A put that it returns has still to be finished.
func (d *destination) apply(ctx context.Context, e effect, m mark.Mark, passesOver bool) (*oneway.Pending, error) {
	key := e.Keys.AttributeValues()
	if e.Effect == declaration.Remove {
		return nil, d.copy.Remove(ctx, key, m)
	}
	copied := d.leaves(e.New.AttributeValues())
	maps.Copy(copied, key) // the images need not have it
	return d.copy.Begin(ctx, key, copied, m, passesOver)
}
