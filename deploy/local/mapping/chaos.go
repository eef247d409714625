package mapping

import (
	"math/rand/v2"
	"sync"
	"time"
)

type chaos struct {
	share float64

	mu      sync.Mutex
	rng     *rand.Rand
	typical time.Duration // of an invocation that succeeded
}

// aim returns a channel that receives at the moment to kill the next invocation, or nil if it is to live. stop must be called
// when the invocation has ended. The moment lies anywhere in as long as an invocation took of late, and a little after.
func (c *chaos) aim() (kill <-chan time.Time, stop func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// Two draws each time, so that one decision does not depend on those before.
	hit, moment := c.rng.Float64() < c.share, c.rng.Float64()
	if !hit {
		return nil, func() {}
	}
	timer := time.NewTimer(time.Duration(moment * 1.1 * float64(c.typical)))
	return timer.C, func() { timer.Stop() }
}

func (c *chaos) learn(took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.typical = took
}
