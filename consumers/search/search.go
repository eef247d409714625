package search

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"sluice/consumers/search/internal/document"
	"sluice/consumers/search/internal/index"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/declaration"
)

// Search keeps indexes the same as tables. It is a consumer.Consumer and safe for concurrent use.
type Search struct {
	client  *index.Client
	routes  []*document.Route
	horizon time.Duration
	now     func() time.Time
	pace    pace
	counts  *consumer.Counters

	mu        sync.Mutex // guards nextPurge
	nextPurge time.Time
}

var _ consumer.Measurer = (*Search)(nil)

// Main is the main function of a pipeline's search, see [consumer.MainOf].
func Main(p declaration.Pipeline) {
	consumer.MainOf("search", p, DefaultSettings(), func(cfg aws.Config, d declaration.Declarations, s Settings) (consumer.Consumer, error) {
		return New(cfg, d, s)
	})
}

// New returns a Search of the declared routes. It makes no call. The error names every setting that is wrong, or every fault of the
// declarations.
func New(cfg aws.Config, d declaration.Declarations, s Settings) (*Search, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	routes, err := Routes(d)
	if err != nil {
		return nil, err
	}
	client, err := index.NewClient(cfg, s.Connection)
	if err != nil {
		return nil, err
	}
	return NewWith(client, routes, s.Horizon, time.Now), nil
}

// NewWith returns a Search of any routes with a client and a clock. It makes no call.
func NewWith(client *index.Client, routes []*document.Route, horizon time.Duration, now func() time.Time) *Search {
	return &Search{
		client: client, routes: routes, horizon: horizon, now: now,
		nextPurge: firstPurge(now()),
		counts:    consumer.NewCounters("Ties", "Purged", "FailedPurges"),
	}
}

// item is what a batch does to one item of a route. Its key is the document's id.
type item struct {
	*consumer.Item[int64, effect]
	to    *document.Route
	first int // where in the batch its first change is
}

// effect is what a change does to the index.
type effect struct {
	*change.Change
	declaration.Effect
}

// ApplyBatch brings the indexes up to date with as few requests as their size allows. Of each item it writes only the
// newest change of the batch or, if the index can never take that one, the change before it. If there is too little time
// for all changes, the first ones of the batch are done.
func (s *Search) ApplyBatch(ctx context.Context, batch []*change.Change) []error {
	outcomes := make([][]error, len(batch)) // of each change at its routes
	var items []*item
	for _, r := range s.routes {
		items = append(items, s.group(r, batch, outcomes)...)
	}
	s.writeAll(ctx, slices.Clone(items))
	for _, i := range items {
		for _, v := range i.Versions {
			where := destination(i.to)
			outcomes[v.Index] = append(outcomes[v.Index], consumer.In(where, consumer.At(where, v.Err)))
		}
	}
	s.purge(ctx)
	return consumer.CombineAll(outcomes)
}

// group sorts the changes that concern a route by item, in the batch's order. It rejects at once what can't be indexed.
func (s *Search) group(r *document.Route, batch []*change.Change, outcomes [][]error) []*item {
	var items []*item
	for _, i := range consumer.ByItem(batch, func(index int, c *change.Change) (id string, version int64, e effect, ok bool) {
		if e.Change = c; c.Table == r.Source {
			e.Effect = r.Effect(c)
		}
		if e.Effect == declaration.Nothing {
			return id, version, e, false
		}
		version, err := s.check(c)
		if err == nil && e.Effect == declaration.Put {
			err = r.Refuse(c)
		}
		if err != nil {
			outcomes[index] = append(outcomes[index], consumer.In(destination(r), err))
			return id, version, e, false
		}
		return document.ID(c.Keys), version, e, true
	}) {
		items = append(items, &item{Item: i, to: r, first: i.Versions[0].Index})
		i.Sort(cmp.Compare)
		if len(i.Versions) > 1 && document.Tie(i.Versions[0].Rank, i.Versions[1].Rank) { // the two newest
			s.counts.Add("Ties", 1)
		}
	}
	return items
}

// check returns a change's version, or why it can never be applied.
func (s *Search) check(c *change.Change) (int64, error) {
	if age := s.now().Sub(c.Time()); age > s.horizon {
		return 0, consumer.RejectFor(consumer.TooOld, fmt.Errorf("%v old; removed items are remembered for %v", age.Round(time.Second), s.horizon))
	}
	v, err := document.Version(c)
	if err != nil {
		return 0, consumer.Reject(err)
	}
	return v, nil
}

// tryNewest writes of each item the newest version that was not tried yet, and records the outcomes.
func (s *Search) tryNewest(ctx context.Context, items []*item) {
	operations := make([]*index.Operation, len(items))
	var documents []byte // of all of them
	for n, i := range items {
		operations[n], documents = i.operation(documents, s.now())
		if n == 0 { // most are alike
			documents = slices.Grow(documents, min(len(documents)*len(items), index.MaxBulk))
		}
	}
	s.client.DualWrite(ctx, operations)
	if missing := s.createMissing(ctx, operations); len(missing) > 0 {
		s.client.DualWrite(ctx, missing)
	}
	for n, i := range items {
		if errors.Is(operations[n].Err, index.ErrNoIndex) {
			operations[n].Err = fmt.Errorf("alias %s isn't there, though index %s is: give it both aliases, %s and %s, or remove it", i.to.WriteAlias(), i.to.FirstIndex(), i.to.Index, i.to.WriteAlias())
		}
		i.Record(operations[n].Err)
		if operations[n].Tie {
			s.counts.Add("Ties", 1)
		}
	}
}

// createMissing creates the indexes that operations missed, and returns these operations.
func (s *Search) createMissing(ctx context.Context, operations []*index.Operation) (missing []*index.Operation) {
	made := map[*document.Route]error{}
	for _, o := range operations {
		if !errors.Is(o.Err, index.ErrNoIndex) {
			continue
		}
		err, tried := made[o.Route]
		if !tried {
			err = s.client.CreateFirst(ctx, o.Route)
			made[o.Route] = err
		}
		if err != nil {
			o.Err = err
			continue
		}
		missing = append(missing, o)
	}
	return missing
}

// operation returns the write of the item's version that is tried next. It appends the version's document to documents.
func (i *item) operation(documents []byte, now time.Time) (*index.Operation, []byte) {
	v, _ := i.Next()
	start := len(documents)
	if v.Of.Effect == declaration.Remove {
		documents = document.AppendTombstone(documents, v.Of.Change, now)
	} else {
		documents = i.to.AppendDocument(documents, v.Of.Change, now)
	}
	return &index.Operation{Route: i.to, ID: i.Key, Version: v.Rank, Document: documents[start:len(documents):len(documents)]}, documents
}

// retries reports whether the item has to be written again.
func (i *item) retries() bool { return consumer.OutcomeOf(i.Versions[i.Tried].Err) == consumer.Retry }

// Metrics implements consumer.Measurer. It counts Ties, changes that met another change of their item with the same
// time; Purged, tombstones; and FailedPurges.
func (s *Search) Metrics() map[string]int { return s.counts.Take() }
