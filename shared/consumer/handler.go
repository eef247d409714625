package consumer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"time"

	"sluice/shared/change"
)

// DeadLetters keeps what can't be applied; *Queue does.
type DeadLetters interface {
	// Keep stores the letters and returns one error for each, nil once it is stored.
	Keep(ctx context.Context, letters []DeadLetter) []error
}

var _ DeadLetters = (*Queue)(nil)

// Handler takes the batches of one event source mapping to a consumer. It is a
// lambda.Handler. Like a Lambda instance it handles one batch at a time.
type Handler struct {
	Name        string
	Consumer    Consumer
	DeadLetters DeadLetters
	Settings    Settings
	Log         *slog.Logger
	Metrics     io.Writer        // gets a line in embedded metric format for each batch
	Notes       Notes            // of all instances of the function; nil: there are none
	Now         func() time.Time // the clock

	decoder change.Decoder
	memory  memory
}

// NewHandler returns a Handler that uses the system's clock. Settings that are
// zero get their defaults.
func NewHandler(name string, c Consumer, letters DeadLetters, s Settings, log *slog.Logger, metrics io.Writer) *Handler {
	return &Handler{
		Name:        name,
		Consumer:    c,
		DeadLetters: letters,
		Settings:    s.withDefaults(),
		Log:         log,
		Metrics:     metrics,
		Now:         time.Now,
		memory:      newMemory(),
	}
}

// Invoke handles the payload of one invocation and returns Lambda's answer: the
// lowest sequence number that has to come again, or none. It returns an error,
// for which Lambda sends the whole batch again (in halves, if the mapping
// bisects), only if the payload isn't a batch of Kinesis records or the
// consumer panicked over several changes at once.
func (h *Handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	records, err := h.decoder.Decode(payload)
	if err != nil {
		return nil, fmt.Errorf("%s: this is not a batch of a Kinesis event source mapping: %w", h.Name, err)
	}
	b := &batch{handler: h, records: records, errs: make([]error, len(records)), redriven: isRedriven(ctx)}
	b.readNotes(ctx)
	if err := b.apply(ctx); err != nil {
		return nil, err
	}
	b.takeOutHopeless(ctx)
	b.writeNotes(ctx, b.applied)
	b.keepRejected(ctx)
	return b.answer()
}

// batch is one invocation's records and what became of them.
type batch struct {
	handler *Handler
	records []change.Record
	errs    []error // what became of each record, as for Consumer.ApplyBatch
	counts  counts
	applied time.Time          // when the consumer had done what it could
	failed  map[string][]error // by destination, of those that got nothing done
	// redriven says that these are dead letters that are sent again.
	redriven bool
}

// apply hands the decoded changes to the consumer.
func (b *batch) apply(ctx context.Context) error {
	changes := make([]*change.Change, 0, len(b.records))
	indexes := make([]int, 0, len(b.records))
	released := b.release()
	for i := range b.records {
		r := &b.records[i]
		switch {
		case !b.redriven && i != released && b.handler.memory.isDone(b.position(i)):
			b.errs[i] = Duplicate
		case r.Err != nil:
			b.errs[i] = RejectFor(Undecodable, r.Err)
		default:
			changes, indexes = append(changes, r.Change), append(indexes, i)
		}
	}
	b.applied = b.handler.Now()
	if len(changes) == 0 {
		return nil
	}
	ctx, cancel := b.handler.untilReserve(ctx)
	defer cancel()
	errs, err := b.applyRecovering(ctx, changes)
	if err != nil {
		return err
	}
	b.applied = b.handler.Now()
	now := b.applied
	for n, i := range indexes {
		b.errs[i] = errs[n]
		if OutcomeOf(errs[n]) == Applied {
			b.counts.changeToEffect = append(b.counts.changeToEffect, now.Sub(changes[n].Time()))
		}
	}
	b.judgeDestinations(errs, now)
	b.judgeReleased(released)
	return nil
}

// untilReserve ends before ctx's deadline by the answer reserve, but by no more
// than a quarter of the time, so that a function with a short time-out gets
// anything done.
func (h *Handler) untilReserve(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return ctx, func() {}
	}
	reserve := min(h.Settings.AnswerReserve, time.Until(deadline)/4)
	return context.WithDeadline(ctx, deadline.Add(-reserve))
}

// applyRecovering calls the consumer. A panic over a single change is that
// change's error. A panic over several fails the invocation, so that a mapping
// that bisects narrows it down to the one.
func (b *batch) applyRecovering(ctx context.Context, changes []*change.Change) (errs []error, err error) {
	defer func() {
		if p := recover(); p != nil {
			panicked := fmt.Errorf("%s: panic: %v\n%s", b.handler.Name, p, debug.Stack())
			if len(changes) == 1 {
				errs = []error{panicked}
			} else {
				err = panicked
			}
		}
	}()
	errs = b.handler.Consumer.ApplyBatch(ctx, changes)
	if len(errs) != len(changes) {
		return nil, fmt.Errorf("%s: ApplyBatch returned %d errors for %d changes; it must return one for each", b.handler.Name, len(errs), len(changes))
	}
	return errs, nil
}

// takeOutHopeless turns changes that failed for too long into dead letters, so
// that the mapping neither waits for them for ever nor discards them. A change
// is stuck if it kept failing for StuckAfter although each of the destinations where
// it fails works: others succeeded there in between, a probe says so, or another
// instance does. If nothing says so, that destination is down, and its changes wait.
// Close to the age at which the mapping discards a record, waiting ends in any case.
// A dead letter that is sent again fails no longer than now: its sender has it, and no
// mapping waits for it.
func (b *batch) takeOutHopeless(ctx context.Context) {
	h, now := b.handler, b.applied
	if b.redriven {
		b.reportDown(now)
		return
	}
	failing := map[int]failures{}
	for i := range b.records {
		if OutcomeOf(b.errs[i]) == Retry {
			failing[i] = h.memory.failed(b.position(i), endsOf(b.errs[i]), now)
		}
	}
	b.disprove(failing, now)
	b.probe(ctx, now)
	b.reportDown(now)
	for i, at := range failing {
		isStuck := true
		for _, f := range at {
			isStuck = isStuck && h.memory.destination(f.destination).isStuck(f, now, h.Settings)
		}
		switch {
		case now.Sub(b.records[i].Arrival) >= h.Settings.GiveUpAge:
			b.errs[i] = RejectFor(GivenUp, b.errs[i])
		case isStuck:
			b.errs[i] = RejectFor(Stuck, b.errs[i])
		}
	}
}

// keepRejected keeps the rejected records as dead letters. One that can't be
// kept is retried: it is never dropped.
func (b *batch) keepRejected(ctx context.Context) {
	h := b.handler
	var letters []DeadLetter
	var indexes []int
	for i := range b.records {
		if rejection, ok := errors.AsType[*Rejection](b.errs[i]); ok {
			letters = append(letters, newDeadLetter(h.Name, &b.records[i], rejection, h.Now()))
			indexes = append(indexes, i)
		}
	}
	if len(letters) == 0 {
		return
	}
	for n, err := range h.DeadLetters.Keep(ctx, letters) {
		i := indexes[n]
		if err != nil {
			// Its text only: found in the chain, the rejection would count as one.
			b.errs[i] = fmt.Errorf("rejected (%s), but the dead letter could not be kept: %w", b.errs[i].Error(), err)
			continue
		}
		h.memory.keep(b.position(i))
		h.Log.Warn("change kept as a dead letter",
			"reason", letters[n].Reason, "error", letters[n].Error, "table", letters[n].Table,
			"shard", letters[n].Position.ShardID, "sequenceNumber", letters[n].Position.SequenceNumber)
	}
}

// answer counts the outcomes, reports them and returns Lambda's answer.
func (b *batch) answer() ([]byte, error) {
	h := b.handler
	var lowest string
	var firstError error
	for i, err := range b.errs {
		outcome := OutcomeOf(err)
		b.counts.outcomes[outcome]++
		if outcome != Retry {
			h.memory.done(b.position(i))
			continue
		}
		if n := b.records[i].SequenceNumber; lowest == "" || LessSequence(n, lowest) {
			lowest, firstError = n, err
		}
	}
	if lowest != "" {
		b.rememberFinished(lowest)
		h.Log.Warn("changes have to come again", "count", b.counts.outcomes[Retry],
			"lowestSequenceNumber", lowest, "itsError", firstError.Error())
	}
	if m, ok := h.Consumer.(Measurer); ok {
		b.counts.own = m.Metrics()
	}
	b.counts.countAmbiguous(b.records)
	if err := writeMetrics(h.Metrics, h.Name, h.Now(), &b.counts); err != nil {
		h.Log.Error("metrics of this batch are lost", "error", err.Error())
	}
	return marshalAnswer(lowest, b.redriven)
}

// rememberFinished remembers which records behind the lowest failing one need nothing
// more. They come again with it, and are answered from memory then: a healthy
// neighbour of a change that keeps failing isn't applied dozens of times.
func (b *batch) rememberFinished(lowest string) {
	if b.redriven {
		return
	}
	for i, err := range b.errs {
		switch OutcomeOf(err) {
		case Applied, Duplicate, Stale, Skip:
			if p := b.position(i); LessSequence(lowest, p.sequence) {
				b.handler.memory.finished.add(p)
			}
		case Retry, Rejected: // comes again; is kept
		}
	}
}

func (b *batch) position(i int) position {
	r := &b.records[i]
	return position{r.StreamARN, r.ShardID, r.SequenceNumber}
}

// LessSequence compares sequence numbers, which are decimal numbers of varying
// length without leading zeros.
func LessSequence(a, b string) bool {
	if len(a) != len(b) {
		return len(a) < len(b)
	}
	return a < b
}

type answer struct {
	BatchItemFailures []itemFailure `json:"batchItemFailures"`
	// Redriven tells who sends dead letters again that the function knows what they are.
	Redriven bool `json:"redriven,omitempty"`
}

type itemFailure struct {
	ItemIdentifier string `json:"itemIdentifier"`
}

// marshalAnswer names only the lowest failure: Lambda takes that as the
// checkpoint and sends everything from there on again, whatever else is named.
// https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
func marshalAnswer(lowest string, redriven bool) ([]byte, error) {
	a := answer{BatchItemFailures: []itemFailure{}, Redriven: redriven}
	if lowest != "" {
		a.BatchItemFailures = append(a.BatchItemFailures, itemFailure{lowest})
	}
	return json.Marshal(a)
}
