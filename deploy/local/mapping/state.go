package mapping

import (
	"sync"
	"time"
)

// State is where a mapping stands, in the words that Lambda has for it as far as it has one.
type State string

// The states of a mapping.
const (
	Disabled State = "Disabled" // by its template: it reads nothing
	Starting State = "Starting" // a shard hasn't been read yet
	Retrying State = "Retrying" // the last invocation of a lane left records that have to come again
	Enabled  State = "Enabled"
	Unknown  State = "Unknown" // its stream hasn't been read for silentAfter
)

// silentAfter is how long a read of the stream may take until the mapping doesn't know how far it is behind.
const silentAfter = 5 * time.Second

// silent returns how long the shard waits for an answer of its stream, and 0 while it waits for room or hasn't begun.
func (s *shard) silent(now time.Time) time.Duration {
	at := s.answered.Load()
	if at == unread {
		return 0
	}
	return now.Sub(time.UnixMilli(at))
}

// rateSeconds is over how many seconds Stats.Rate is taken: a batching window or two, but no more than shows what happens now.
const rateSeconds int64 = 10

// rate counts what got done in each of the latest seconds. Its methods are safe for concurrent use.
type rate struct {
	mu     sync.Mutex
	counts [rateSeconds + 1]struct{ second, n int64 }
}

func (r *rate) add(now time.Time, n int) {
	second := now.Unix()
	r.mu.Lock()
	defer r.mu.Unlock()
	c := &r.counts[second%int64(len(r.counts))]
	if c.second != second {
		c.second, c.n = second, 0
	}
	c.n += int64(n)
}

// perSecond is the mean of the last whole seconds: the present one isn't over.
func (r *rate) perSecond(now time.Time) float64 {
	end := now.Unix()
	r.mu.Lock()
	defer r.mu.Unlock()
	sum := int64(0)
	for _, c := range r.counts {
		if c.second >= end-rateSeconds && c.second < end {
			sum += c.n
		}
	}
	return float64(sum) / float64(rateSeconds)
}

func (m *Mapping) retry(l *lane, problem string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.retrying[l], m.problem = true, problem
}

func (m *Mapping) endRetry(l *lane) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.retrying, l)
}
