package operate

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/shared/sdkhttp"
)

// frozen is a server that takes calls and never answers, or only with an answer's head.
func frozen(t *testing.T, head bool) aws.Config {
	t.Helper()
	end := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if head {
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
		}
		select {
		case <-end:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(s.Close)
	t.Cleanup(func() { close(end) })
	return aws.Config{Region: "us-east-1", BaseEndpoint: &s.URL, HTTPClient: sdkhttp.New(), Credentials: credentials.NewStaticCredentialsProvider("k", "s", "")}
}

// A server that gives no answer, or no whole one, ends the verb within its limit, by name. Fails if a call waits for ever, or
// its error is taken for another's.
func TestWatchEnds(t *testing.T) {
	for name, head := range map[string]bool{"no answer": false, "half an answer": true} {
		t.Run(name, func(t *testing.T) {
			cfg := frozen(t, head)
			ctx, w := NewWatch(t.Context(), 100*time.Millisecond, &bytes.Buffer{})
			_, err := dynamodb.NewFromConfig(cfg).Scan(ctx, &dynamodb.ScanInput{TableName: aws.String("Orders")})
			if err == nil {
				t.Fatal("the call succeeded")
			}
			err = w.Explain(GoOn(err, "Run it again."))
			if text := err.Error(); !strings.Contains(text, "no answer for 100ms") || !strings.Contains(text, "Scan of table Orders at "+*cfg.BaseEndpoint) || !strings.HasSuffix(text, "\nRun it again.") {
				t.Errorf("the error is %q", text)
			}
			// A call that is made all the same, say to clean up, doesn't wait for the server either.
			if _, err := dynamodb.NewFromConfig(cfg).Scan(context.WithoutCancel(ctx), &dynamodb.ScanInput{TableName: aws.String("Orders")}); err == nil {
				t.Error("a later call succeeded")
			}
		})
	}
}

// What is waited for is told while it is waited for.
func TestWatchTells(t *testing.T) {
	w := &Watch{out: &bytes.Buffer{}, limit: time.Minute, calls: map[*call]bool{}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:9/players/_search", nil)
	if err != nil {
		t.Fatal(err)
	}
	sent := time.Now()
	w.calls[&call{request: request, sent: sent, cancel: func() {}}] = true
	for _, after := range []time.Duration{time.Second, tellAfter, tellAfter + time.Second, tellAfter + tellAgain} {
		w.look(sent.Add(after))
	}
	text := w.out.(*bytes.Buffer).String()
	if n := strings.Count(text, "waiting for an answer to GET /players/_search at http://127.0.0.1:9, since "); n != 2 {
		t.Errorf("told %d times, want 2:\n%s", n, text)
	}
}

// Somebody who interrupts a verb reads words and how to go on, not what the SDK says.
func TestWatchInterrupted(t *testing.T) {
	cfg := frozen(t, false)
	ctx, interrupt := context.WithCancel(t.Context())
	watched, w := NewWatch(ctx, time.Minute, &bytes.Buffer{})
	var calling sync.WaitGroup
	calling.Go(func() { interrupt() })
	_, err := dynamodb.NewFromConfig(cfg).Scan(watched, &dynamodb.ScanInput{TableName: aws.String("Orders")})
	calling.Wait()
	if err = w.Explain(GoOn(err, "Run it again.")); err == nil || err.Error() != "interrupted\nRun it again." {
		t.Errorf("the error is %q", err)
	}
	if err := w.Explain(nil); err != nil {
		t.Errorf("a verb that succeeded is told to have failed: %v", err)
	}
	other := errors.New("no such table")
	if _, w := NewWatch(t.Context(), time.Minute, &bytes.Buffer{}); w.Explain(other) != other { //nolint:errorlint // the very same
		t.Error("another error isn't told as it is")
	}
}
