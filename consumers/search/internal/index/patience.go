package index

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrHung is returned when a server doesn't answer a call in time.
var ErrHung = errors.New("no answer in time")

type callTimeoutKey struct{}

// WithCallTimeout bounds each call that is made with the context; 0: only the context
// itself does.
func WithCallTimeout(ctx context.Context, timeout time.Duration) context.Context {
	if timeout == 0 {
		return ctx
	}
	return context.WithValue(ctx, callTimeoutKey{}, timeout)
}

// CallContext returns the context of one call.
func CallContext(ctx context.Context) (context.Context, context.CancelFunc) {
	timeout, bounded := ctx.Value(callTimeoutKey{}).(time.Duration)
	if !bounded {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, timeout, ErrHung)
}

// CallError returns a call's error, as ErrHung if the server didn't answer in time.
func CallError(call context.Context, err error) error {
	if err == nil || !errors.Is(context.Cause(call), ErrHung) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrHung, err)
}
