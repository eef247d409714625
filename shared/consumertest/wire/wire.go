// Package wire injects faults between a client and a real server: a Transport
// stands in the client's HTTP client and decides for each call whether it goes
// through, is refused, or is cut before or after the server has seen it.
//
// The server is never simulated: a refused or cut call doesn't reach it, every
// other call does.
package wire

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
)

// Fault is what happens to one call.
type Fault uint8

// The faults.
const (
	// None: the call goes through.
	None Fault = iota
	// Throttle: refused with DynamoDB's ProvisionedThroughputExceededException.
	Throttle
	// ServerError: refused with a 500.
	ServerError
	// LostRequest: the client times out; the server never saw the call.
	LostRequest
	// LostAnswer: the client times out; the server did what it was asked.
	LostAnswer
	// Crash: the call is cut before the server sees it, and so is every later
	// one, as if the client's process had been killed just before the call.
	Crash
	// CrashAfter: as Crash, but the server did what this call asked.
	CrashAfter
	// Conflict: refused since another writer's transaction holds the item; what
	// the error is, depends on the call. Only for calls of which Conflicts is true.
	Conflict
	// Denied: refused with an AccessDeniedException, as if the caller's role lacked the
	// right. Not for every protocol.
	Denied
	// Silence: nothing answers, as from a server that stands still; the call ends when
	// its context does. The server never saw it.
	Silence
)

func (f Fault) String() string {
	names := [...]string{"none", "throttle", "server error", "lost request", "lost answer", "crash before the call", "crash after the call", "transaction conflict", "access denied", "silence"}
	if int(f) < len(names) {
		return names[f]
	}
	return fmt.Sprintf("Fault(%d)", uint8(f))
}

// Call is one attempt of a request on its way to the server; a client's own
// retry is a call of its own.
type Call struct {
	N         int    // 1 for the first call through the Transport
	Operation string // such as UpdateItem; empty if the protocol doesn't say
	Body      []byte // what is asked, as it goes over the wire
}

// Transport is an http.RoundTripper that asks Decide about each call, one after the
// other, so that a Decide that counts needs no lock. It is safe for concurrent use.
type Transport struct {
	Base   http.RoundTripper // http.DefaultTransport if nil
	Decide func(Call) Fault  // nil: no faults

	calls    atomic.Int64
	crashed  atomic.Bool
	deciding sync.Mutex
}

var _ http.RoundTripper = (*Transport)(nil)

// Calls returns how many calls were made so far, those that were cut included.
func (t *Transport) Calls() int { return int(t.calls.Load()) }

// Crashed tells whether a Crash or CrashAfter has happened.
func (t *Transport) Crashed() bool { return t.crashed.Load() }

// RoundTrip implements http.RoundTripper.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.WithContext(r.Context()) // a copy: the client's own request stays as it is
	body, err := readBody(r)
	if err != nil {
		return nil, err
	}
	call := Call{N: int(t.calls.Add(1)), Operation: OperationOf(r, body), Body: body}
	if t.crashed.Load() {
		return nil, &TimeoutError{Call: call, Fault: Crash}
	}
	fault := t.decide(call)
	switch fault {
	case None:
		return t.base().RoundTrip(r)
	case Throttle, ServerError, Conflict, Denied:
		return Refuse(r, call, fault)
	case Silence:
		<-r.Context().Done()
		return nil, r.Context().Err()
	case LostRequest:
		return nil, &TimeoutError{Call: call, Fault: fault}
	case LostAnswer, CrashAfter:
		response, err := t.base().RoundTrip(r)
		if err != nil {
			return nil, err
		}
		_, err = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if err != nil {
			return nil, err
		}
		if fault == CrashAfter {
			t.crashed.Store(true)
		}
		return nil, &TimeoutError{Call: call, Fault: fault}
	case Crash:
		t.crashed.Store(true)
		return nil, &TimeoutError{Call: call, Fault: fault}
	}
	return nil, fmt.Errorf("wire: call %d: %v is no fault that can be injected", call.N, fault)
}

func (t *Transport) decide(c Call) Fault {
	if t.Decide == nil {
		return None
	}
	t.deciding.Lock()
	defer t.deciding.Unlock()
	return t.Decide(c)
}

func (t *Transport) base() http.RoundTripper {
	if t.Base == nil {
		return http.DefaultTransport
	}
	return t.Base
}

// Operation reads the operation from the header of the AWS JSON protocols; it is
// empty for other protocols.
func Operation(r *http.Request) string {
	target := r.Header.Get("X-Amz-Target")
	return target[strings.LastIndexByte(target, '.')+1:]
}

// OperationOf reads the operation from a request whose body has been read: from its header,
// or from the body of AWS' query protocol. It is empty for other protocols.
func OperationOf(r *http.Request, body []byte) string {
	if !isQuery(r) {
		return Operation(r)
	}
	form, _ := url.ParseQuery(string(body)) // one that can't be read names no operation
	return form.Get("Action")
}

// readBody returns the request's body and leaves it to be read again.
func readBody(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("wire: read the request: %w", err)
	}
	if err := r.Body.Close(); err != nil {
		return nil, fmt.Errorf("wire: read the request: %w", err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return body, nil
}

// Answer makes the response to r that has this status, header and body.
func Answer(r *http.Request, status int, header http.Header, body []byte) *http.Response {
	return &http.Response{
		Status:        http.StatusText(status),
		StatusCode:    status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        header,
		Body:          io.NopCloser(bytes.NewReader(body)),
		ContentLength: int64(len(body)),
		Request:       r,
	}
}

// TimeoutError is what a client sees of a call that was cut. It is a net.Error
// whose Timeout is true.
type TimeoutError struct {
	Call  Call
	Fault Fault
}

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("injected %v at call %d (%s): i/o timeout", e.Fault, e.Call.N, e.Call.Operation)
}

// Timeout tells clients that they may try again.
func (e *TimeoutError) Timeout() bool { return true }

// Temporary completes net.Error.
func (e *TimeoutError) Temporary() bool { return true }
