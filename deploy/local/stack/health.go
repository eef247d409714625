package stack

import (
	"context"
	"errors"
	"sync"
	"time"

	"sluice/deploy/local/servers"
)

const (
	// staleAfter is the age at which a state says nothing about now: it is written every stateInterval.
	staleAfter = 5 * time.Second
	// askTimeout is how long a server may take to answer.
	askTimeout = 2 * time.Second
)

// Health is what [Info.Ask] has found.
type Health struct {
	// Age is that of the state. Stale is true if it is so old that nothing in it is known to be so now.
	Age    time.Duration     `json:"ageNs"`
	Stale  bool              `json:"stale"`
	Silent map[string]string `json:"silent,omitempty"` // the servers that didn't answer, and why, by name
}

// Ask asks each server of a stack, side by side and for two seconds at most, and looks at the age of the state.
func (i Info) Ask(ctx context.Context) Health {
	ctx, cancel := context.WithTimeoutCause(ctx, askTimeout, errors.New("no answer for "+askTimeout.String()))
	defer cancel()
	h := Health{Age: time.Since(i.Updated), Silent: map[string]string{}}
	h.Stale = h.Age > staleAfter
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, process := range i.Processes {
		all.Go(func() {
			err := servers.Ask(ctx, process.Name, process.Endpoint, i.AccessKey)
			if err == nil {
				return
			}
			if ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			mu.Lock()
			defer mu.Unlock()
			h.Silent[process.Name] = err.Error()
		})
	}
	all.Wait()
	return h
}
