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
	// that a random back-off doesn't decide who comes first: whoever backed off
	// for less waits at the gate by then. It is longer than the back-offs of the
	// SDK's client as the kit sets it up.
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
	server  func(engineRequest) (status int, header http.Header, body []byte, err error)
	letters []consumer.DeadLetter
	crashed bool
	calls   []string // what was let through, and how: the same in every replay
	choices []int    // how many calls each decision had to choose from

	mu       sync.Mutex                    // guards what the pollers write
	outcomes map[string][]consumer.Outcome // by change.ID
	story    []string
	problems []Problem
}

func (r *run) tell(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.story = append(r.story, fmt.Sprintf(format, args...))
}

func (r *run) problem(kind Kind, format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.problems = append(r.problems, Problem{kind, fmt.Sprintf(format, args...)})
}

// play plays the schedule in a bubble of its own and judges what it leaves.
func (r *run) play(t *testing.T) {
	r.inBubble(t, func(ctx context.Context) {
		r.choices = r.deliver(ctx, r.schedule.decisions, r.batches)
		if r.failed() {
			return
		}
		r.account()
		got := r.read()
		r.compare(got)
		if r.failed() {
			return
		}
		r.replay(ctx, got, "the whole stream is delivered once more")
		if r.suite.Horizon > 0 && !r.failed() {
			advance(r.suite.Horizon + r.suite.ForgetsAfter + time.Hour)
			if r.suite.Forget != nil {
				if err := r.engine.Do(func() error { return r.suite.Forget(context.Background(), r.config) }); err != nil {
					r.problem(Unexpected, "forget: %v", err)
				}
			}
			r.replay(ctx, got, "the whole stream is delivered again after the horizon")
		}
	})
}

// inBubble plays in a bubble whose clock shows when all records arrived. A panic is a problem of the run.
func (r *run) inBubble(t *testing.T, play func(context.Context)) {
	synctest.Test(t, func(t *testing.T) {
		defer func() {
			if p := recover(); p != nil {
				r.problem(Unexpected, "panic: %v\n%s", p, debug.Stack())
			}
		}()
		advance(time.Until(consumertest.Arrival))
		play(t.Context())
	})
}

// advance moves the bubble's clock on, as far as all others in it have nothing
// to do but to wait.
func advance(d time.Duration) { <-time.After(d) }

// deliver delivers the batches of each poller, all pollers at once, until
// everything is delivered; the calls go as decided. It returns how many calls
// whose callers wait there were to choose from, each time.
func (r *run) deliver(ctx context.Context, decisions []decision, batches [lanes][][]record) (choices []int) {
	var delivering atomic.Int64
	for lane, list := range batches {
		delivering.Add(1)
		go func() {
			defer delivering.Add(-1)
			p := poller{run: r, lane: lane, region: r.config.Region, first: 1 + lane*1_000_000}
			for _, batch := range list {
				p.deliver(ctx, batch)
			}
		}()
	}
	for step := range maxSteps {
		advance(pause)
		synctest.Wait()
		if r.suite.Prompt {
			r.letGone(step)
		}
		live, gone := r.gate.list()
		waiting := slices.Concat(live, gone)
		if delivering.Load() == 0 {
			for _, c := range waiting {
				r.let(c, wire.None)
			}
			return choices
		}
		if r.schedule.onlyLive {
			waiting = live
		}
		if len(waiting) == 0 || (len(live) == 0 && len(decisions) == 0) {
			continue
		}
		choices = append(choices, len(live))
		var d decision
		switch {
		case len(decisions) > 0:
			d, decisions = decisions[0], decisions[1:]
		case r.schedule.takeTurns:
			waiting, d.pick = live, step
		}
		r.let(waiting[d.pick%len(waiting)], d.fault)
	}
	r.problem(Unexpected, "no end in sight after %d steps: some change never gets done", maxSteps)
	for delivering.Load() > 0 { // let the pollers end
		r.gate.mu.Lock()
		for _, c := range r.gate.waiting {
			c.instance.crash()
		}
		r.gate.mu.Unlock()
		advance(pause)
	}
	return choices
}

// letGone lets the calls whose callers have given up arrive, every second of them.
func (r *run) letGone(step int) {
	live, gone := r.gate.list()
	for i, c := range gone {
		fault := wire.None
		if (step+len(live)+i)%2 == 1 {
			fault = wire.LostRequest
		}
		r.let(c, fault)
	}
}

// let lets a call go, or doesn't.
func (r *run) let(c *call, f wire.Fault) {
	who, what := c.instance, c.about()
	if f == wire.Conflict && !wire.Conflicts(c.operation) {
		f = wire.None
	}
	r.calls = append(r.calls, fmt.Sprintf("%s %v %s %s %s", who.name(), f, c.operation, c.region, c.asked))
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
	case wire.Throttle, wire.ServerError, wire.Conflict:
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
		r.problem(Unexpected, "%s: %v", c.about(), answer.err)
	}
	return answer
}

// poller is one poller's state.
type poller struct {
	run       *run
	lane      int
	region    string // where its function runs
	handler   *consumer.Handler
	in        *instance
	first     int // the next record's number
	instances int
	retries   int
}

// deliver delivers a batch: what failed again from the lowest failure on, and the
// whole batch to a new instance if the instance crashed. Every other retry goes to a new
// instance too: one that remembers nothing, and so gives the consumer again what
// was done behind the failure.
func (p *poller) deliver(ctx context.Context, batch []record) {
	for len(batch) > 0 {
		if p.run.failed() {
			return
		}
		if p.handler == nil || p.in.crashed() {
			p.instances++
			p.in = &instance{lane: p.lane, number: p.instances, region: p.region, gate: &p.run.gate, run: p.run, dead: make(chan struct{})}
			var err error
			if p.handler, err = p.run.start(p.in); err != nil {
				p.run.problem(Unexpected, "start an instance: %v", err)
				return
			}
		}
		done := p.run.invoke(ctx, p.in, p.handler, p.first, batch)
		p.first, batch = p.first+done, batch[done:]
		if len(batch) > 0 {
			if p.retries++; p.retries%2 == 0 {
				p.handler = nil
			}
		}
	}
}

// failed tells whether the run has failed already, with a problem of one of the
// kinds; without kinds, with any.
func (r *run) failed(kinds ...Kind) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.problems, func(p Problem) bool { return len(kinds) == 0 || slices.Contains(kinds, p.Kind) })
}

// start starts an instance of the function.
func (r *run) start(in *instance) (*consumer.Handler, error) {
	cfg := r.config.Copy()
	cfg.Region, cfg.AppID = in.region, in.name()
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
	stop()
	// Not stop's answer: the handler may learn that the time is over before AfterFunc does.
	if ctx.Err() != nil || in.crashed() {
		r.tell("%s dies: the batch comes again, to a new instance", laneName(in.lane))
		in.crash()
		return 0
	}
	if err != nil {
		r.problem(Unexpected, "%s answers with an error: %v", laneName(in.lane), err)
		return 0
	}
	var failures struct {
		BatchItemFailures []struct{ ItemIdentifier string }
	}
	if err := json.Unmarshal(answer, &failures); err != nil {
		r.problem(Unexpected, "%s answers %q: %v", laneName(in.lane), answer, err)
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
			r.problem(Unexpected, "%s names %s, which isn't in the batch", laneName(in.lane), f.ItemIdentifier)
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
	kept := r.kept()
	all := slices.DeleteFunc(records(r.changes), func(one record) bool { return kept[encode(one.data)] != nil })
	r.deliver(ctx, nil, [lanes][][]record{slices.Collect(slices.Chunk(all, maxBatch))})
	after := r.read()
	for _, name := range unionKeys(before, after) {
		if before[name] != after[name] {
			r.problem(Doubled, "%s changes from %s to %s although nothing is new when %s", name, orNothing(before, name), orNothing(after, name), why)
		}
	}
}

// read reads the destination.
func (r *run) read() (items map[string]string) {
	err := r.engine.Do(func() (err error) {
		items, err = r.suite.Read(context.Background(), r.config)
		return err
	})
	if err != nil {
		r.problem(Unexpected, "read the destination: %v", err)
	}
	return items
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
