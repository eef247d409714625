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

// IsPassing reports whether trying again may help: the server can't be reached, throttles, has failed itself, or the
// error is marked as [Passing].
func IsPassing(err error) bool {
	if errors.As(err, new(Passing)) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return true
	}
	return retryable.IsErrorRetryable(err) == aws.TrueTernary
}

// Until calls call until it succeeds, fails for good, or ctx ends, and returns nil, the last error, or ctx's. It waits
// 50 ms after the first failure and twice as long after each further one, up to 2 s. Each failure that it
// repeats is logged as a warning with what was being done, and so is the recovery.
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
