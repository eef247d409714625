package bridge

import (
	"runtime"
	"sync"
	"time"
)

// clock gives out creation times in microseconds, each later than the one before and none in the future.
type clock struct {
	now func() time.Time

	mu   sync.Mutex
	last int64
}

func newClock() *clock {
	// Measured from one reading, so that a step of the machine's clock turns no order round.
	start := time.Now()
	return &clock{now: func() time.Time { return start.Add(time.Since(start)) }}
}

// next returns the present microsecond. If it has been given out already, next waits for the following one rather than
// run ahead of time.
func (c *clock) next() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.now().UnixMicro()
	for ; t <= c.last; t = c.now().UnixMicro() {
		runtime.Gosched()
	}
	c.last = t
	return t
}

// skipMillisecond makes every later time fall in a later millisecond than those so far. Without it, a change timed in
// milliseconds could seem older than the one just before it that was timed in microseconds.
func (c *clock) skipMillisecond() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = (c.last/1000+1)*1000 - 1
}
