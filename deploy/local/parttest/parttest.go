// Package parttest runs one part of the pipeline, a bridge or a mapping, in a test.
package parttest

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// Log keeps what a part logs. The zero value is empty; its methods are safe for concurrent use.
type Log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write appends to the log.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// String returns the log so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// Logger returns a logger that writes text to the log.
func (l *Log) Logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// RunUntil runs a part until ok says so of its counts, and ends it. The test fails after a minute, or if the part ends otherwise.
func RunUntil[S any, P interface {
	Run(ctx context.Context) error
	Stats() S
}](t testing.TB, part P, log *Log, ok func(S) bool) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- part.Run(ctx) }()
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	late := time.After(time.Minute)
	for ready := false; !ready; {
		select {
		case <-again.C:
			ready = ok(part.Stats())
		case <-late:
			t.Errorf("not ready after a minute: %+v\n%s", part.Stats(), log)
			ready = true
		case err := <-ended:
			t.Fatalf("Run ended by itself: %v\n%s", err, log)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	if t.Failed() {
		t.FailNow()
	}
}

// NoLeaks fails the test if a goroutine that does not run yet is left at its end.
func NoLeaks(t *testing.T) {
	t.Helper()
	running := goleak.IgnoreCurrent()
	t.Cleanup(func() {
		goleak.VerifyNone(t, running,
			// Idle connections of the SDK's shared transports.
			goleak.IgnoreTopFunction("internal/poll.runtime_pollWait"),
			goleak.IgnoreTopFunction("net/http.(*persistConn).writeLoop"),
			goleak.IgnoreTopFunction("net/http.(*persistConn).readLoop"))
	})
}
