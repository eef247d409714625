package attempt_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	kinesistypes "github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"sluice/deploy/local/attempt"
)

func TestIsPassing(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	tests := []struct {
		name string
		err  error
		want bool
	}{
		{"server not there", &smithyhttp.RequestSendError{Err: refused}, true},
		{"server went away during the answer", fmt.Errorf("read: %w", io.ErrUnexpectedEOF), true},
		{"throttled", &kinesistypes.ProvisionedThroughputExceededException{}, true},
		{"marked", fmt.Errorf("put: %w", attempt.Passing{Err: errors.New("2 of 3 refused")}), true},
		{"after the SDK's own tries", &aws.RequestCanceledError{Err: context.Canceled}, false},
		{"stream does not exist", &kinesistypes.ResourceNotFoundException{}, false},
		{"anything else", errors.New("no"), false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := attempt.IsPassing(test.err); got != test.want {
				t.Errorf("IsPassing(%v) = %v, want %v", test.err, got, test.want)
			}
		})
	}
}

func TestUntilSucceeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		start := time.Now()
		calls := 0
		err := attempt.Until(t.Context(), slog.New(slog.NewTextHandler(&log, nil)), "read", func(context.Context) error {
			if calls++; calls < 10 {
				return attempt.Passing{Err: errors.New("busy")}
			}
			return nil
		})
		if err != nil || calls != 10 {
			t.Fatalf("err = %v after %d calls, want none after 10", err, calls)
		}
		// 50, 100, 200, 400, 800, 1600, then three at the bound.
		if waited, want := time.Since(start), 3150*time.Millisecond+3*2*time.Second; waited != want {
			t.Errorf("waited %v, want %v", waited, want)
		}
		if failed, recovered := strings.Count(log.String(), "read: failed"), strings.Count(log.String(), "read: works again"); failed != 9 || recovered != 1 {
			t.Errorf("logged %d failures and %d recoveries, want 9 and 1", failed, recovered)
		}
	})
}

func TestUntilGivesUp(t *testing.T) {
	permanent := errors.New("no such table")
	err := attempt.Until(t.Context(), slog.New(slog.DiscardHandler), "read", func(context.Context) error { return permanent })
	if !errors.Is(err, permanent) {
		t.Errorf("err = %v, want %v", err, permanent)
	}
}

func TestUntilEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := attempt.Until(ctx, slog.New(slog.DiscardHandler), "read", func(context.Context) error {
			return attempt.Passing{Err: errors.New("busy")}
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("err = %v, want %v", err, context.DeadlineExceeded)
		}
	})
}
