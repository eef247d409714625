package simulator

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/wire"
)

const (
	// pause is how long each step waits for those who only wait for a timer, so
	// that a random back-off doesn't decide who comes first. It is longer than
	// the back-offs of the SDK's client as the kit sets it up.
	pause = 2 * time.Second
	// invocationTime is how long a function may take for a batch: the most that
	// Lambda allows.
	invocationTime = 15 * time.Minute
	// maxSteps bounds a run.
	maxSteps = 20_000
)

// run is one schedule's way through one consumer and one database.
type run struct {
	suite    *Suite
	schedule schedule
	changes  []consumertest.Change
	batches  [lanes][][]record
	database

	gate    gate
	letters []consumer.DeadLetter
	crashed bool
	calls   []string // what was let through, and how: the same in every replay

	mu       sync.Mutex                    // guards what the pollers write
	outcomes map[string][]consumer.Outcome // by change.ID
	story    []string
	problems []string
}

func (r *run) tell(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.story = append(r.story, fmt.Sprintf(format, args...))
}

func (r *run) problem(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.problems = append(r.problems, fmt.Sprintf(format, args...))
}

// play plays the schedule in a bubble of its own and judges what it leaves.
func (r *run) play(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer func() {
			if p := recover(); p != nil {
				r.problem("panic: %v\n%s", p, debug.Stack())
			}
		}()
		advance(time.Until(consumertest.Arrival))
		r.deliver(t.Context(), r.schedule.decisions, r.batches)
		if r.failed() {
			return
		}
		r.account()
		got := r.read()
		r.compare(got)
		if r.failed() {
			return
		}
		r.replay(t.Context(), got, "the whole stream is delivered once more")
		if r.suite.Horizon > 0 && !r.failed() {
			advance(r.suite.Horizon + r.suite.ForgetsAfter + time.Hour)
			r.engine.outside(func() { r.forget() })
			r.replay(t.Context(), got, "the whole stream is delivered again after the horizon")
		}
	})
}

// advance moves the bubble's clock on, as far as all others in it have nothing
// to do but to wait.
func advance(d time.Duration) { <-time.After(d) }

// deliver delivers the batches of each poller, all pollers at once, until
// everything is delivered; the calls go as decided.
func (r *run) deliver(ctx context.Context, decisions []decision, batches [lanes][][]record) {
	var delivering atomic.Int64
	for lane, list := range batches {
		delivering.Add(1)
		go func() {
			defer delivering.Add(-1)
			r.poll(ctx, lane, list)
		}()
	}
	for step := range maxSteps {
		advance(pause)
		synctest.Wait()
		waiting := r.gate.list()
		if delivering.Load() == 0 {
			for _, c := range waiting {
				r.let(c, wire.None)
			}
			return
		}
		if len(waiting) == 0 || (waiting[0].gone.Load() && len(decisions) == 0) {
			continue
		}
		var d decision
		switch {
		case len(decisions) > 0:
			d, decisions = decisions[0], decisions[1:]
		case r.schedule.takeTurns:
			waiting = slices.DeleteFunc(waiting, func(c *call) bool { return c.gone.Load() })
			d.pick = step
		}
		r.let(waiting[d.pick%len(waiting)], d.fault)
	}
	r.problem("no end in sight after %d steps: some change never gets done", maxSteps)
	for delivering.Load() > 0 { // let the pollers end
		r.gate.mu.Lock()
		for _, c := range r.gate.waiting {
			c.instance.crash()
		}
		r.gate.mu.Unlock()
		advance(pause)
	}
}

// let lets a call go, or doesn't.
func (r *run) let(c *call, f wire.Fault) {
	who, what := c.instance, c.about()
	r.calls = append(r.calls, fmt.Sprintf("%s%d %v %s %s", laneName(who.lane), who.number, f, c.operation, c.asked))
	if c.gone.Load() {
		r.gate.remove(c)
		if f != wire.None {
			r.tell("%s: a call on its way from before never arrives: %s", laneName(who.lane), what)
			return
		}
		r.tell("%s: a call from before arrives only now: %s", laneName(who.lane), what)
		r.perform(c)
		return
	}
	r.tell("%s: %s: %s", laneName(who.lane), what, faultText(f))
	cut := result{err: &wire.TimeoutError{Call: wire.Call{N: len(r.calls), Operation: c.operation}, Fault: f}}
	switch f {
	case late: // stays at the gate
		c.gone.Store(true)
		c.reply <- cut
		return
	case stall:
		advance(invocationTime)
		synctest.Wait()
		return
	}
	r.gate.remove(c)
	switch f {
	case wire.None:
		c.reply <- r.perform(c)
	case wire.Throttle, wire.ServerError:
		c.reply <- c.refuse(f)
	case wire.LostRequest:
		c.reply <- cut
	case wire.LostAnswer:
		r.perform(c)
		c.reply <- cut
	case wire.CrashAfter:
		r.perform(c)
		r.crashed = true
		who.crash()
	case wire.Crash:
		r.crashed = true
		who.crash()
	}
}

func (r *run) perform(c *call) result {
	answer := c.perform()
	if answer.err != nil {
		r.problem("%s: %v", c.about(), answer.err)
	}
	return answer
}

// poll is one poller: it delivers its batches one after another, what failed
// again from the lowest failure on, and the whole batch to a new instance if
// the instance crashed.
func (r *run) poll(ctx context.Context, lane int, batches [][]record) {
	var handler *consumer.Handler
	var in *instance
	first, instances := 1+lane*1_000_000, 0
	for _, batch := range batches {
		for len(batch) > 0 {
			if r.failed() {
				return
			}
			if handler == nil || in.crashed() {
				instances++
				in = &instance{lane: lane, number: instances, gate: &r.gate, engine: r.engine, run: r, dead: make(chan struct{})}
				var err error
				if handler, err = r.start(in); err != nil {
					r.problem("start an instance: %v", err)
					return
				}
			}
			done := r.invoke(ctx, in, handler, first, batch)
			first, batch = first+done, batch[done:]
		}
	}
}

// failed tells whether the run has failed already.
func (r *run) failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.problems) > 0
}

// start starts an instance of the function.
func (r *run) start(in *instance) (*consumer.Handler, error) {
	cfg := r.config.Copy()
	cfg.HTTPClient = &http.Client{Transport: in}
	cfg.Retryer = func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) {
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return pause / 4, nil })
		})
	}
	c, err := r.suite.New(cfg)
	if err != nil {
		return nil, err
	}
	handler := consumer.NewHandler(r.suite.Name, &witness{c, in}, in, consumer.Settings{}, slog.New(slog.DiscardHandler), io.Discard)
	return handler, nil
}

// invoke delivers one batch and returns how many of its records are done with:
// those before the lowest failure.
func (r *run) invoke(ctx context.Context, in *instance, handler *consumer.Handler, first int, batch []record) int {
	r.tell("%s delivers %s", laneName(in.lane), deliveryText(batch))
	ctx, cancel := context.WithTimeout(ctx, invocationTime)
	defer cancel()
	in.cancel = cancel
	stop := context.AfterFunc(ctx, in.crash) // out of time: Lambda kills the instance
	data := make([][]byte, len(batch))
	for i := range batch {
		data[i] = batch[i].data
	}
	answer, err := handler.Invoke(ctx, consumertest.Payload(first, data...))
	if !stop() || in.crashed() {
		r.tell("%s dies: the batch comes again, to a new instance", laneName(in.lane))
		in.crash()
		return 0
	}
	if err != nil {
		r.problem("%s answers with an error: %v", laneName(in.lane), err)
		return 0
	}
	var failures struct {
		BatchItemFailures []struct{ ItemIdentifier string }
	}
	if err := json.Unmarshal(answer, &failures); err != nil {
		r.problem("%s answers %q: %v", laneName(in.lane), answer, err)
	}
	lowest := len(batch)
	for _, f := range failures.BatchItemFailures {
		known := false
		for i := range batch {
			if f.ItemIdentifier == consumertest.SequenceNumber(first+i) {
				known, lowest = true, min(lowest, i)
			}
		}
		if !known {
			r.problem("%s names %s, which isn't in the batch", laneName(in.lane), f.ItemIdentifier)
		}
	}
	if lowest < len(batch) {
		r.tell("%s answers: again from %s on", laneName(in.lane), batch[lowest])
	}
	return lowest
}

// witness notes what the consumer says of each change.
type witness struct {
	consumer.Consumer
	instance *instance
}

func (w *witness) ApplyBatch(ctx context.Context, batch []*change.Change) []error {
	errs := w.Consumer.ApplyBatch(ctx, batch)
	if w.instance.crashed() || len(errs) != len(batch) {
		return errs // nobody hears it
	}
	r := w.instance.run
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, c := range batch {
		id := c.ID().String()
		r.outcomes[id] = append(r.outcomes[id], consumer.OutcomeOf(errs[i]))
	}
	return errs
}

// replay delivers the stream once more, without a fault, which must change nothing.
// Changes that were kept as dead letters stay out: they are for people.
func (r *run) replay(ctx context.Context, before map[string]string, why string) {
	r.tell("%s", why)
	var all []record
	kept := r.kept()
	for i := range r.changes {
		record := record{&r.changes[i], r.changes[i].Record()}
		if _, ok := kept[encode(record.data)]; !ok {
			all = append(all, record)
		}
	}
	var batches [lanes][][]record
	for len(all) > 0 {
		n := min(len(all), maxBatch)
		batches[0], all = append(batches[0], all[:n]), all[n:]
	}
	r.deliver(ctx, nil, batches)
	after := r.read()
	for _, name := range unionKeys(before, after) {
		if before[name] != after[name] {
			r.problem("doubled: %s changes from %s to %s although nothing is new when %s", name, orNothing(before, name), orNothing(after, name), why)
		}
	}
}

// read reads the destination.
func (r *run) read() (items map[string]string) {
	var err error
	r.engine.outside(func() { items, err = r.suite.Read(context.Background(), r.config) })
	if err != nil {
		r.problem("read the destination: %v", err)
	}
	return items
}

// forget lets the destination forget what its time to live allows it to.
func (r *run) forget() {
	if r.suite.Forget == nil {
		return
	}
	if err := r.suite.Forget(context.Background(), r.config); err != nil {
		r.problem("forget: %v", err)
	}
}

func deliveryText(batch []record) string {
	const most = 6
	var parts []string
	for _, record := range batch[:min(most, len(batch))] {
		parts = append(parts, "["+record.String()+"]")
	}
	if n := len(batch) - most; n > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", n))
	}
	return strings.Join(parts, " ")
}
