package simulator

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/wire"
)

// maxChangesPerWrite is how many changes a write of an application may lead to,
// in all regions. Copies that go round lead to more, sooner or later.
const maxChangesPerWrite = 30

// maxRest bounds how many calls what is left after the script's acts may take.
const maxRest = 4000

// world is one script's way through all regions.
type world struct {
	run
	suite   *Regions
	script  script
	regions []*region
	steps   int
	writes  []Write
	poisons []record
}

// region is one region: its table, its stream and its pollers.
type region struct {
	name    string
	config  aws.Config // without faults
	client  *dynamodb.Client
	skew    time.Duration
	last    time.Time                    // of a change
	items   map[string]consumertest.Item // the table, by text of the key
	stream  []consumertest.Change        // all changes, in order
	waiting []int                        // which of them were never delivered
	pollers [lanes]*feed
}

// feed is a poller that is given its batches one at a time.
type feed struct {
	poller
	batches [][]record // not yet taken; guarded by the run's mu
	busy    atomic.Bool
}

// play runs one script.
func (s *Regions) play(t *testing.T, db database, drawn script) *run {
	t.Helper()
	w := &world{suite: s, script: drawn, run: run{
		suite:    &Suite{Name: s.Name, New: s.New},
		database: db,
		outcomes: map[string][]consumer.Outcome{},
	}}
	w.server = w.serve
	for i, name := range s.Names {
		cfg := db.config.Copy()
		cfg.Region = name
		if err := s.Setup(t.Context(), cfg); err != nil {
			t.Fatalf("%s: set up %s: %v", s.Name, name, err)
		}
		r := &region{name: name, config: cfg, client: dynamodb.NewFromConfig(cfg), skew: drawn.skews[i], items: map[string]consumertest.Item{}}
		for p := range r.pollers {
			lane := i*lanes + p
			r.pollers[p] = &feed{poller: poller{run: &w.run, lane: lane, region: name, first: 1 + lane*1_000_000}}
		}
		w.regions = append(w.regions, r)
	}
	w.inBubble(t, func(ctx context.Context) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		for _, a := range drawn.acts {
			w.act(ctx, a)
			if w.failed() {
				break
			}
		}
		w.deliverAll(ctx)
		w.judge(ctx)
		w.end()
	})
	return &w.run
}

// act lets one thing happen.
func (w *world) act(ctx context.Context, a act) {
	w.steps++
	r := w.regions[a.region]
	switch a.kind {
	case nextCall:
		advance(pause)
		synctest.Wait()
		live, gone := w.gate.list()
		if waiting := append(live, gone...); len(waiting) > 0 {
			w.let(waiting[a.decision.pick%len(waiting)], a.decision.fault)
		}
	case putWhole, update, removeItem, expireItem:
		if len(w.writes) < maxWrites {
			w.apply(r, a)
		}
	default:
		w.hand(ctx, r, a)
	}
	synctest.Wait() // or what comes next would depend on who is faster
}

// apply does an application's write.
func (w *world) apply(r *region, a act) {
	key := w.suite.Key(a.item)
	id := consumertest.Change{Keys: key}.Key()
	before := r.items[id]
	if before == nil && a.kind != putWhole {
		return
	}
	write := Write{N: len(w.writes) + 1, Region: r.name, Key: id, Before: before}
	item := maps.Clone(a.attributes)
	if a.kind == putWhole || a.kind == update {
		if item == nil {
			item = consumertest.Item{}
		}
		item[WriteAttribute] = consumertest.N(strconv.Itoa(write.N))
		if w.suite.Amend != nil {
			w.suite.Amend(item, before)
		}
	}
	w.tell("an application in %s: %s", r.name, a.text(id, item))
	if err := w.engine.Do(func() error { return a.write(r.client, w.suite.Table, key, item) }); err != nil {
		w.problem(Unexpected, "the application's write: %v", err)
		return
	}
	w.observe(r, a.kind == expireItem)
	write.After = r.items[id]
	w.writes = append(w.writes, write)
}

func (a act) text(id string, item consumertest.Item) string {
	switch a.kind {
	case putWhole:
		return "puts " + id + " " + consumertest.Change{New: item}.String()
	case update:
		return "changes " + id + " " + consumertest.Change{New: item}.String()
	case expireItem:
		return id + " expires"
	}
	return "removes " + id
}

// now is the time of the region's next change. Its clock is skewed, but never
// goes back.
func (w *world) now(r *region) time.Time {
	at := consumertest.Arrival.Add(-time.Hour + time.Duration(w.steps)*tick + r.skew)
	if !at.After(r.last) {
		at = r.last.Add(time.Microsecond)
	}
	r.last = at
	return at
}

// observe looks at a region's table after a write, and notes what it changed. ttl: DynamoDB's time to live has made the write.
func (w *world) observe(r *region, ttl bool) {
	var out *dynamodb.ScanOutput
	if err := w.engine.Do(func() (err error) {
		out, err = r.client.Scan(context.Background(), &dynamodb.ScanInput{TableName: &w.suite.Table, ConsistentRead: aws.Bool(true)})
		return err
	}); err != nil {
		w.problem(Unexpected, "look at what was written: %v", err)
		return
	}
	before := r.items
	r.items = map[string]consumertest.Item{}
	for _, values := range out.Items {
		item := itemOf(values)
		r.items[consumertest.Change{Keys: w.suite.keysOf(item)}.Key()] = item
	}
	for _, id := range unionKeys(before, r.items) {
		old, now := before[id], r.items[id]
		if reflect.DeepEqual(old, now) {
			continue
		}
		keys := w.suite.keysOf(now)
		if now == nil {
			keys = w.suite.keysOf(old)
		}
		r.waiting = append(r.waiting, len(r.stream))
		r.stream = append(r.stream, consumertest.Change{Table: w.suite.Table, Time: w.now(r), TTL: ttl, Keys: keys, Old: old, New: now})
	}
	n := 0
	for _, r := range w.regions {
		n += len(r.stream)
	}
	if n > maxChangesPerWrite*(len(w.writes)+1) {
		w.problem(Endless, "%d writes of applications led to %d changes and more to come", len(w.writes), n)
	}
}

// serve makes a call and notes the changes that it makes.
func (w *world) serve(request engineRequest) (int, http.Header, []byte, error) {
	status, header, body, err := w.engine.call(request)
	if err != nil || status != http.StatusOK || !w.suite.mayWrite(request) {
		return status, header, body, err
	}
	for _, r := range w.regions {
		if r.name == regionOf(request.header) {
			w.observe(r, false)
		}
	}
	return status, header, body, nil
}

// hand gives a batch to a poller, if changes wait that the act takes.
func (w *world) hand(ctx context.Context, r *region, a act) {
	var taken []int
	switch a.kind {
	case deliverAgain:
		for n := range len(r.stream) {
			if n >= a.start && !slices.Contains(r.waiting, n) && len(taken) < a.count {
				taken = append(taken, n)
			}
		}
	case deliverLate:
		from := min(a.start, len(r.waiting))
		to := min(from+a.count, len(r.waiting))
		taken = slices.Clone(r.waiting[from:to])
		r.waiting = slices.Delete(r.waiting, from, to)
	default:
		n := min(a.count, len(r.waiting))
		taken = slices.Clone(r.waiting[:n])
		r.waiting = r.waiting[n:]
		if a.kind == deliverLast {
			slices.Reverse(taken)
		}
	}
	if len(taken) == 0 {
		return
	}
	var batch []record
	for _, n := range taken {
		batch = append(batch, records(r.stream[n:n+1])...)
	}
	if a.poison >= 0 {
		poison := record{data: fmt.Appendf(nil, poisonForms[a.poison], len(w.poisons))}
		w.poisons = append(w.poisons, poison)
		batch = slices.Insert(batch, a.start%(len(batch)+1), poison)
	}
	w.give(ctx, r.pollers[a.poller], batch)
}

// give adds a batch to what a poller has to deliver.
func (w *world) give(ctx context.Context, f *feed, batch []record) {
	w.mu.Lock()
	f.batches = append(f.batches, batch)
	w.mu.Unlock()
	if f.busy.Load() {
		return
	}
	f.busy.Store(true)
	go func() {
		for {
			w.mu.Lock()
			if len(f.batches) == 0 {
				f.busy.Store(false)
				w.mu.Unlock()
				return
			}
			batch := f.batches[0]
			f.batches = f.batches[1:]
			w.mu.Unlock()
			f.deliver(ctx, batch)
		}
	}()
}

// deliverAll delivers what is left until nothing is on its way any more.
func (w *world) deliverAll(ctx context.Context) {
	for step := 0; !w.failed(); step++ {
		if step > maxRest {
			w.problem(Endless, "no end in sight after %d steps: some change never gets done", maxRest)
			return
		}
		advance(pause)
		synctest.Wait()
		w.steps++
		live, gone := w.gate.list()
		switch {
		case len(live) > 0:
			pick := 0
			if w.script.takeTurns {
				pick = step
			}
			w.let(live[pick%len(live)], wire.None)
		case w.busy():
		case len(gone) > 0:
			w.let(gone[0], wire.None)
		case !w.deliverRest(ctx):
			return
		}
	}
}

// busy tells whether a poller still has something to deliver.
func (w *world) busy() bool {
	return slices.ContainsFunc(w.regions, func(r *region) bool {
		return slices.ContainsFunc(r.pollers[:], func(f *feed) bool { return f.busy.Load() })
	})
}

// deliverRest delivers the changes that wait, to the first poller of each region,
// and tells whether there are any. Changes whose dead letters leave open whether
// they were applied come again first, as people would have them come.
func (w *world) deliverRest(ctx context.Context) bool {
	w.redrive()
	any := false
	for _, r := range w.regions {
		if len(r.waiting) > 0 {
			any = true
			w.hand(ctx, r, act{kind: deliverNext, count: maxBatch, poison: -1})
		}
	}
	return any
}

// end lets the pollers end: with a problem they deliver nothing more.
func (w *world) end() {
	for w.busy() {
		live, gone := w.gate.list()
		for _, c := range append(live, gone...) {
			c.instance.crash()
			w.gate.remove(c)
		}
		advance(pause)
		synctest.Wait()
	}
}
