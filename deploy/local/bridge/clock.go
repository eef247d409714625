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

// next returns the present microsecond, or waits for the following one if that has been given out.
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

// skipMillisecond moves on to the next millisecond. Else a time cut to milliseconds could seem to be before the one before it.
func (c *clock) skipMillisecond() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = (c.last/1000+1)*1000 - 1
}
