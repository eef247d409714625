package search

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"sluice/consumers/search/internal/document"
	"sluice/consumers/search/internal/index"
)

// pace remembers how long OpenSearch takes, so that no request is larger than the time that is left. A batch that is too
// large for its time must still be done from its start on; otherwise each delivery would begin at the same change.
type pace struct {
	mu   sync.Mutex // guards what follows
	took time.Duration
	n    int // how many documents were in the last request that was answered, in that time; 0: unknown
}

// growth limits how many times more documents than the last request the next one of a delivery may have. It applies
// whatever the time: the request may take long, not its documents.
const growth = 4

// begin returns how many of the waiting documents go into a delivery's first request, and the time for that request; 0:
// all that is left. If the pace is unknown, one document goes.
func (p *pace) begin(ctx context.Context, waiting int) (n int, limit time.Duration) {
	deadline, bounded := ctx.Deadline()
	if !bounded {
		return waiting, 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	// Half of the time: if the server has become slower, there is some left for less.
	limit = time.Until(deadline) / 2
	if n = p.fit(limit); n == 0 {
		return 1, 0
	}
	return min(n, waiting), limit
}

// more returns how many documents go into a further request; 0: there is no time for any.
func (p *pace) more(ctx context.Context, waiting int) int {
	deadline, bounded := ctx.Deadline()
	if !bounded {
		return waiting
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	left := time.Until(deadline)
	if left < p.took {
		return 0
	}
	return min(max(p.fit(left/2), growth*p.n), waiting)
}

// fit returns how many documents can be written in a time, by the pace of the last request.
func (p *pace) fit(within time.Duration) int {
	if p.n == 0 {
		return 0
	}
	return int(within / max(p.took/time.Duration(p.n), 1))
}

// answered records how long a request took.
func (p *pace) answered(n int, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n, p.took = n, took
}

// forget drops the pace after the first request of a delivery got no answer in time.
func (p *pace) forget() { p.answered(0, 0) }

// writeAll writes the items of a batch, in the order of their first changes.
func (s *Search) writeAll(ctx context.Context, waiting []*item) {
	slices.SortStableFunc(waiting, func(a, b *item) int { return a.first - b.first })
	for first := true; len(waiting) > 0; first = false {
		n, limit := 0, time.Duration(0)
		if first {
			n, limit = s.pace.begin(ctx, len(waiting))
		} else if n = s.pace.more(ctx, len(waiting)); n == 0 {
			leave(waiting, errNoTime)
			return
		}
		some := waiting[:n]
		begin := time.Now()
		if cut := s.writeWithin(ctx, limit, some); cut {
			s.pace.forget()
			n, begin = 1, time.Now()
			some = waiting[:n]
			s.writeWithin(ctx, 0, some)
		}
		waiting = waiting[n:]
		if err := over(ctx, some); err != nil {
			if first && ctx.Err() != nil {
				s.pace.forget()
			}
			leave(waiting, err)
			return
		}
		s.pace.answered(n, time.Since(begin))
		failingLast(some, waiting)
	}
}

// leave records why items were not tried.
func leave(waiting []*item, why error) {
	for _, i := range waiting {
		i.Record(why)
	}
}

// errNoTime is the outcome of changes for which a delivery has no time left.
var errNoTime = errors.New("no time is left for it in this delivery")

// over returns why further requests are useless now: no time is left, or OpenSearch didn't answer a request. It returns
// nil if they are not.
func over(ctx context.Context, done []*item) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %w", errNoTime, ctx.Err())
	}
	for _, i := range done {
		if failed, ok := errors.AsType[*index.RequestError](i.Versions[i.Tried].Err); ok {
			return failed
		}
	}
	return nil
}

// failingLast moves items behind the others if their index takes no documents at the moment. Otherwise the others would
// not be done in time.
func failingLast(done, waiting []*item) {
	failing := map[*document.Route]bool{}
	for _, i := range done {
		failing[i.to] = failing[i.to] || i.retries()
	}
	slices.SortStableFunc(waiting, func(a, b *item) int {
		switch {
		case failing[a.to] == failing[b.to]:
			return 0
		case failing[a.to]:
			return 1
		}
		return -1
	})
}

// writeWithin writes items within a limit; 0: the time of the batch. It reports whether the limit ended before the
// batch's time did. Then items without an outcome can be written again.
func (s *Search) writeWithin(ctx context.Context, limit time.Duration, items []*item) (cut bool) {
	within := ctx
	if limit > 0 {
		var cancel context.CancelFunc
		within, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	for pending := items; len(pending) > 0; {
		s.tryNewest(within, pending)
		pending = slices.DeleteFunc(slices.Clone(pending), (*item).Done)
	}
	if within.Err() == nil || ctx.Err() != nil {
		return false
	}
	for _, i := range items {
		if i.retries() {
			i.Again()
			cut = true
		}
	}
	return cut
}
