package consumer

import (
	"context"
	"time"
)

// HalfOf returns a context that ends when half of the time until ctx's deadline is over.
// A consumer that works through a batch in several steps gives it to each step but the last.
// Otherwise the first step may use all of the time in every delivery, and no change is ever done.
func HalfOf(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Until(deadline)/2)
}
