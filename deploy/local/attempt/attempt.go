// Package attempt repeats calls to servers that fail for a passing reason, and says so while it does.
package attempt

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	smithytime "github.com/aws/smithy-go/time"
)

const (
	firstPause = 50 * time.Millisecond
	maxPause   = 2 * time.Second
)

// Passing marks an error as one that may go away by itself.
type Passing struct{ Err error }

func (p Passing) Error() string { return p.Err.Error() }
func (p Passing) Unwrap() error { return p.Err }

var retryable = retry.IsErrorRetryables(retry.DefaultRetryables)

// IsPassing reports whether a server can't be reached, throttles or has failed itself, or the error is marked as [Passing].
func IsPassing(err error) bool {
	if errors.As(err, new(Passing)) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return true
	}
	return retryable.IsErrorRetryable(err) == aws.TrueTernary
}

// Until calls call until it succeeds, fails for good, or ctx ends, and returns nil, the last error, or ctx's. It waits 50 ms, then
// twice as long each time, up to 2 s. It logs each failure that it repeats as a warning, and the recovery.
func Until(ctx context.Context, log *slog.Logger, what string, call func(context.Context) error) error {
	pause := firstPause
	for failures := 0; ; failures++ {
		err := call(ctx)
		switch {
		case err == nil:
			if failures > 0 {
				log.InfoContext(ctx, what+": works again", "failures", failures)
			}
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case !IsPassing(err):
			return err
		}
		log.WarnContext(ctx, what+": failed, trying again", "failures", failures+1, "in", pause, "error", err)
		if err := smithytime.SleepWithContext(ctx, pause); err != nil {
			return err
		}
		pause = min(2*pause, maxPause)
	}
}
