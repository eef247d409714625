package operate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"sluice/shared/sdkhttp"
)

// DefaultAnswerLimit is how long a server may leave a call without an answer.
const DefaultAnswerLimit = 30 * time.Second

const (
	tellAfter = 3 * time.Second  // a call without an answer is told first
	tellAgain = 10 * time.Second // and from then on
	longest   = time.Second / 4  // between two looks at the calls
)

// Watch sees the calls of a context that go through package sdkhttp. It says which one gets no answer, and ends the context if one
// gets none for too long. It is safe for concurrent use.
type Watch struct {
	out    io.Writer
	parent context.Context //nolint:containedctx // says whether somebody interrupted the verb
	cancel context.CancelCauseFunc

	mu    sync.Mutex
	limit time.Duration
	calls map[*call]bool
	ended *NoAnswerError
}

// call is one without an answer yet.
type call struct {
	request  *http.Request
	sent     time.Time
	told     time.Time // zero: not yet
	cancel   context.CancelFunc
	patience bool // it may take as long as it likes
}

// NoAnswerError is returned when a server gave no answer for too long.
type NoAnswerError struct {
	Call  string // such as "Scan of table Orders at http://127.0.0.1:8000"
	Since time.Time
	Limit time.Duration
}

func (e *NoAnswerError) Error() string {
	return fmt.Sprintf("no answer for %v (since %s) to %s. So it isn't known what is there. See whether that server runs; --timeout waits longer",
		e.Limit, e.Since.Format(time.TimeOnly), e.Call)
}

type watchKey struct{}

// NewWatch returns a context whose calls are watched until it ends. What calls are waited for is written to out.
func NewWatch(ctx context.Context, limit time.Duration, out io.Writer) (context.Context, *Watch) {
	w := &Watch{out: out, parent: ctx, limit: limit, calls: map[*call]bool{}}
	ctx, w.cancel = context.WithCancelCause(ctx)
	ctx = context.WithValue(sdkhttp.WithAround(ctx, w.around), watchKey{}, w)
	go w.run(ctx)
	return ctx, w
}

// Within shortens the limit of a context's watch to a time that the operator wants to wait, and at least a second.
func Within(ctx context.Context, limit time.Duration) {
	w, ok := ctx.Value(watchKey{}).(*Watch)
	if !ok || limit <= 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.limit = min(w.limit, max(limit, time.Second))
}

// run looks at the calls until the context ends.
func (w *Watch) run(ctx context.Context) {
	w.mu.Lock()
	ticker := time.NewTicker(max(min(w.limit/4, longest), time.Millisecond))
	w.mu.Unlock()
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			w.look(now)
		}
	}
}

func (w *Watch) look(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.calls {
		waited := now.Sub(c.sent)
		if waited >= w.limit && !c.patience && w.ended == nil {
			w.ended = &NoAnswerError{Call: describe(c.request), Since: c.sent, Limit: w.limit}
			w.cancel(w.ended)
			for other := range w.calls { // also those that outlive the context
				other.cancel()
			}
			return
		}
		if waited < tellAfter || !c.told.IsZero() && now.Sub(c.told) < tellAgain {
			continue
		}
		c.told = now
		_, _ = fmt.Fprintf(w.out, "waiting for an answer to %s, since %s (%v)\n", describe(c.request), c.sent.Format(time.TimeOnly), waited.Round(time.Second))
	}
}

func (w *Watch) around(r *http.Request, do func(*http.Request) (*http.Response, error)) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	// A function may run for minutes; what calls it has a deadline of its own.
	c := &call{request: r, sent: time.Now(), cancel: cancel, patience: strings.HasSuffix(r.URL.Path, "/invocations")}
	w.mu.Lock()
	ended := w.ended
	w.calls[c] = true
	w.mu.Unlock()
	if ended != nil {
		w.done(c)
		return nil, ended
	}
	response, err := do(r.WithContext(ctx))
	if err != nil {
		w.done(c)
		return nil, err
	}
	response.Body = &watchedBody{response.Body, func() { w.done(c) }}
	return response, nil
}

func (w *Watch) done(c *call) {
	c.cancel()
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.calls, c)
}

// watchedBody ends the watch over a call when its answer was read.
type watchedBody struct {
	io.ReadCloser

	done func()
}

// Close implements io.Closer.
func (b *watchedBody) Close() error {
	defer b.done()
	return b.ReadCloser.Close()
}

// Explain returns a verb's error in words: which server gave no answer, or that somebody interrupted the verb. It keeps what GoOn
// added.
func (w *Watch) Explain(err error) error {
	defer w.cancel(nil)
	if err == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var explained error
	switch {
	case w.ended != nil:
		explained = w.ended
	case w.parent.Err() != nil:
		explained = errors.New("interrupted")
	default:
		return err
	}
	if h, ok := errors.AsType[*hintError](err); ok {
		return &hintError{explained, h.hint}
	}
	return explained
}

// GoOn adds to an error how the operator goes on. It returns err itself if that is nil or the hint is empty.
func GoOn(err error, hint string) error {
	if err == nil || hint == "" {
		return err
	}
	return &hintError{err, hint}
}

type hintError struct {
	err  error
	hint string
}

func (e *hintError) Error() string { return e.err.Error() + "\n" + e.hint }

func (e *hintError) Unwrap() error { return e.err }

// describe says what a request asks, and of whom.
func describe(r *http.Request) string {
	at := r.URL.Scheme + "://" + r.URL.Host
	target := r.Header.Get("X-Amz-Target")
	operation := target[strings.LastIndexByte(target, '.')+1:]
	var body []byte
	if r.GetBody != nil {
		if b, err := r.GetBody(); err == nil {
			body, _ = io.ReadAll(b) // without it the text is shorter
		}
	}
	if operation == "" && strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		form, _ := url.ParseQuery(string(body))
		operation = form.Get("Action")
	}
	if operation == "" {
		return fmt.Sprintf("%s %s at %s", r.Method, r.URL.Path, at)
	}
	var asked struct {
		TableName, QueueURL, StreamName string
		RequestItems                    map[string]json.RawMessage
	}
	_ = json.Unmarshal(body, &asked) // without it the text is shorter
	of := ""
	for what, name := range map[string]string{"table": asked.TableName, "queue": asked.QueueURL, "stream": asked.StreamName} {
		if name != "" {
			of = " of " + what + " " + name
		}
	}
	for table := range asked.RequestItems {
		of = " of table " + table
	}
	return operation + of + " at " + at
}
