package mapping

import (
	"context"
	"slices"
	"sync"
	"time"

	smithytime "github.com/aws/smithy-go/time"

	"sluice/deploy/local/mapping/function"
)

// lane delivers a part of one shard's records, those of some partition keys, one batch after the other.
type lane struct {
	mapping  *Mapping
	shard    *shard
	instance *function.Instance

	mu     sync.Mutex
	queue  fifo[record]
	closed bool
	wake   chan struct{}
}

func newLane(m *Mapping, s *shard) (*lane, error) {
	instance, err := function.New(m.config.Function)
	if err != nil {
		return nil, err
	}
	return &lane{mapping: m, shard: s, instance: instance, wake: make(chan struct{}, 1)}, nil
}

func (l *lane) push(records []record) {
	l.mu.Lock()
	l.queue.push(records...)
	l.mu.Unlock()
	signal(l.wake)
}

func (l *lane) close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	signal(l.wake)
}

func signal(to chan struct{}) {
	select {
	case to <- struct{}{}:
	default: // a signal waits already
	}
}

// run delivers until the lane is closed and empty, or ctx ends.
func (l *lane) run(ctx context.Context) error {
	defer l.instance.Close()
	defer l.mapping.endRetry(l)
	for {
		batch, err := l.gather(ctx)
		if err != nil || batch == nil {
			return err
		}
		if err := l.deliver(ctx, batch); err != nil {
			return err
		}
	}
}

// gather waits for the next batch: until it has the batch size or the payload limit, the batching window is over, or no more
// records will come. Without a window, whatever is there is a batch. It returns nil once the lane is closed and empty:
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html#invocation-eventsourcemapping-batching
func (l *lane) gather(ctx context.Context) ([]record, error) {
	window := l.mapping.settings.BatchingWindow
	var over <-chan time.Time
	for incomplete := window == 0; ; {
		batch, waiting, closed := l.take(incomplete)
		if batch != nil || closed {
			return batch, nil
		}
		if over == nil && waiting {
			over = time.After(window)
		}
		select {
		case <-l.wake:
		case <-over:
			incomplete = true
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// take removes and returns the next batch if it is complete or need not be. Else waiting says that there are records for one,
// and closed that there will be none.
func (l *lane) take(incomplete bool) (batch []record, waiting, closed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	queue := l.queue.items()
	n, full := batchLength(queue, l.mapping.settings.BatchSize)
	if n == 0 || !full && !incomplete && !l.closed {
		return nil, n > 0, n == 0 && l.closed
	}
	batch = slices.Clone(queue[:n])
	l.queue.remove(n)
	return batch, false, false
}

// batchLength returns how many of the first records make the next batch, and whether no more would go into it.
func batchLength(records []record, size int) (n int, full bool) {
	bytes := len(eventPrefix) + len(eventSuffix)
	for n, r := range records {
		if bytes += len(r.event) + 1; n == size || n > 0 && bytes > maxPayloadBytes {
			return n, true
		}
	}
	return len(records), len(records) == size
}

// deliver invokes the function until every record of the batch is done or given up.
func (l *lane) deliver(ctx context.Context, records []record) error {
	m := l.mapping
	portions := []portion{{records: len(records)}}
	failures := 0
	var last *function.Answer
	defer m.endRetry(l) // what wasn't done is given up
	for invocation := 0; len(portions) > 0; invocation++ {
		p := portions[0]
		if old := m.countTooOld(records[:p.records]); old > 0 {
			d := discarded{condition: ageExceeded, invocations: p.retries, answer: last, records: records[:old]}
			if err := l.discard(ctx, d); err != nil {
				return err
			}
			records = records[old:]
			if portions[0].records -= old; portions[0].records == 0 {
				portions = portions[1:]
			}
			continue
		}
		if invocation > 0 {
			m.count(func(s *Stats) { s.Retried++ })
		}
		r, answer, err := l.invoke(ctx, records[:p.records])
		if err != nil {
			return err
		}
		last = answer
		d := decide(m.policy, p, r)
		l.finish(records[:d.done])
		if d.discard > 0 {
			lost := discarded{condition: retriesExhausted, invocations: p.retries + 1, answer: answer, records: records[d.done : d.done+d.discard]}
			if err := l.discard(ctx, lost); err != nil {
				return err
			}
		}
		records = records[d.done+d.discard:]
		portions = append(d.rest, portions[1:]...)
		if r.done == p.records {
			m.endRetry(l)
			failures = 0
			continue
		}
		m.retry(l, r.reason)
		if d.done > 0 || d.discard > 0 {
			failures = 0
		}
		if failures++; len(portions) > 0 {
			if err := smithytime.SleepWithContext(ctx, m.config.Backoff(failures)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *lane) invoke(ctx context.Context, records []record) (result, *function.Answer, error) {
	m := l.mapping
	m.count(func(s *Stats) {
		s.Invocations++
		s.Delivered += int64(len(records))
		s.InFlight++
	})
	defer m.count(func(s *Stats) { s.InFlight-- })

	kill, stop := m.chaos.aim()
	defer stop()
	start := time.Now()
	answer, err := l.instance.Invoke(ctx, payload(records), kill)
	if err != nil {
		return result{}, nil, err
	}
	if answer.Killed {
		m.count(func(s *Stats) { s.Killed++ })
	}
	var r result
	switch {
	case answer.Failure != nil:
		r = failedWhole("%v", answer.Failure)
		if err := m.countStart(answer.Failure); err != nil {
			return result{}, nil, err
		}
	case m.settings.ReportBatchItemFailures:
		r = readAnswer(answer.Body, records)
	default: // the answer is not looked at
		r = result{done: len(records)}
	}
	log := m.log.With("shard", l.shard.id, "records", len(records), "first", records[0].sequence, "requestId", answer.RequestID)
	switch {
	case r.done == len(records):
		m.count(func(s *Stats) { s.Succeeded++ })
		m.started.Store(true)
		m.chaos.learn(time.Since(start))
	case r.whole:
		m.count(func(s *Stats) { s.Failed++ })
		log.Warn("invocation failed", "error", r.reason, "killedOnPurpose", answer.Killed)
	default:
		m.count(func(s *Stats) { s.Partial++ })
		m.started.Store(true)
		log.Info("invocation failed in part", "reason", r.reason)
	}
	return r, answer, nil
}

func (l *lane) finish(records []record) {
	if len(records) == 0 {
		return
	}
	places := make([]int64, len(records))
	weight := int64(0)
	for i, r := range records {
		places[i] = r.place
		weight += r.weight()
	}
	l.shard.progress.finish(places...)
	l.shard.room.release(weight)
	l.mapping.count(func(s *Stats) { s.Done += int64(len(records)) })
	l.mapping.rate.add(l.mapping.now(), len(records))
}

// countTooOld returns how many of the first records have passed MaximumRecordAgeInSeconds.
func (m *Mapping) countTooOld(records []record) int {
	limit := m.settings.MaximumRecordAge
	if limit <= 0 { // endless
		return 0
	}
	for i, r := range records {
		if m.now().Sub(r.arrival) <= limit {
			return i
		}
	}
	return len(records)
}
