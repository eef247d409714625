package simulator

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"sync"
	"testing"
	"time"

	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
)

// Source is the table that a schedule's changes are of, for suites in which a tool
// reads it while the changes are delivered. It has a clock, by which it is written at
// the times of the changes; the clock is at least at the newest change that was
// delivered, so nothing is delivered before it is written.
//
// A Source is for one schedule. Now, Write and Deliver may be called side by side.
type Source struct {
	// Changes are in the order in which they are written.
	Changes []consumertest.Change
	// Seed follows from the changes, for what a suite leaves to chance.
	Seed uint32

	write   func(ctx context.Context, n int, c consumertest.Change) error
	outside *Outside
	written int

	mu    sync.Mutex
	ahead time.Duration // of the source's clock before the schedule's
	last  time.Time
}

// NewSource returns a Source whose clock is at a minute before the first change. write
// writes the n-th change, counted from 0, to the table, by calls that the schedule
// doesn't know of.
func NewSource(changes []consumertest.Change, outside *Outside, write func(ctx context.Context, n int, c consumertest.Change) error) *Source {
	changes = slices.Clone(changes)
	slices.SortStableFunc(changes, func(a, b consumertest.Change) int { return a.Written().Compare(b.Written()) })
	start := consumertest.Arrival
	if len(changes) > 0 {
		start = changes[0].Written().Add(-time.Minute)
	}
	hash := fnv.New32a()
	for _, c := range changes {
		_, _ = fmt.Fprint(hash, c.String(), c.Written().UnixMicro()) // never fails
	}
	return &Source{Changes: changes, Seed: hash.Sum32(), write: write, outside: outside, ahead: start.Sub(consumertest.Arrival), last: start}
}

// Now is the source's time.
func (s *Source) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = time.Now().Add(s.ahead)
	return s.last
}

// reach lets the source's clock reach a time, if it hasn't.
func (s *Source) reach(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if behind := at.Sub(time.Now().Add(s.ahead)); behind > 0 {
		s.ahead += behind
	}
}

// Written is how many changes are in the table.
func (s *Source) Written() int { return s.written }

// Write brings the table up to the source's time.
func (s *Source) Write(ctx context.Context) error {
	now := s.Now()
	return s.outside.Do(func() error { return s.writeUntil(ctx, now) })
}

// WriteAll writes what is left, once the schedule has ended, and returns the time.
func (s *Source) WriteAll(ctx context.Context) (time.Time, error) {
	clock := s.last
	if n := len(s.Changes); n > 0 && s.Changes[n-1].Written().After(clock) {
		clock = s.Changes[n-1].Written()
	}
	return clock, s.writeUntil(ctx, clock)
}

func (s *Source) writeUntil(ctx context.Context, now time.Time) error {
	ctx = context.WithoutCancel(ctx)
	for s.written < len(s.Changes) && !s.Changes[s.written].Written().After(now) {
		if err := s.write(ctx, s.written, s.Changes[s.written]); err != nil {
			return err
		}
		s.written++
	}
	return nil
}

// Deliver hands a batch to apply in parts, each up to where the source's clock has to
// leap, so that it leaps often while the tool is under way. Each part has a number
// that follows from its changes, for what is left to chance.
func (s *Source) Deliver(ctx context.Context, batch []*change.Change, apply func(ctx context.Context, part []*change.Change, chance uint32) []error) []error {
	var errs []error
	for len(batch) > 0 {
		n := 1
		for n < len(batch) && batch[n].Time().Sub(batch[0].Time()) < time.Minute {
			n++
		}
		errs, batch = append(errs, s.deliver(ctx, batch[:n], apply)...), batch[n:]
	}
	return errs
}

func (s *Source) deliver(ctx context.Context, part []*change.Change, apply func(context.Context, []*change.Change, uint32) []error) []error {
	hash := fnv.New32a()
	for _, c := range part {
		id := c.ID()
		hash.Write(id[:])
		s.reach(c.Time())
	}
	<-time.After(time.Millisecond) // until both pollers have come here
	if err := s.Write(ctx); err != nil {
		return slices.Repeat([]error{consumer.Reject(fmt.Errorf("write the source: %w", err))}, len(part)) // not to be tried for ever
	}
	<-time.After(time.Millisecond)
	return apply(ctx, part, hash.Sum32()>>8)
}

// Outside does what a schedule shall know nothing of, one thing at a time: neither its
// clock nor its faults apply there. Make one for each database, before its first schedule
// begins or in [Suite.Begin].
type Outside struct {
	jobs chan func() error
	done chan error
}

// NewOutside returns an Outside that ends with the test.
func NewOutside(t testing.TB) *Outside {
	o := &Outside{make(chan func() error), make(chan error)}
	go func() {
		for job := range o.jobs {
			o.done <- job()
		}
	}()
	t.Cleanup(func() { close(o.jobs) })
	return o
}

// Do does it and returns its error.
func (o *Outside) Do(job func() error) error {
	o.jobs <- job
	return <-o.done
}
