package simulator

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/wire"
)

// gate is where all calls of one run wait until the schedule lets them go.
type gate struct {
	mu      sync.Mutex
	waiting []*call
}

// call is one call on its way to the destination.
type call struct {
	instance  *instance
	operation string
	region    string        // whose server is called, if the request tells
	asked     string        // in canonical form: the same in every replay
	item      string        // for which consumer.Each makes it; tells apart calls that ask for the same
	perform   func() result // does it; runs outside the bubble
	refuse    func(wire.Fault) result
	reply     chan result
	// gone: the caller doesn't wait any more, but the call is still on its way.
	gone atomic.Bool
}

// result is what the caller of a call gets.
type result struct {
	respond func(*http.Request) (*http.Response, error)
	errs    []error // of dead letters
	err     error
}

// instance is one instance of the function, from its start to its crash.
type instance struct {
	lane   int
	number int    // counts the instances of a lane
	region string // where it runs
	gate   *gate
	run    *run
	dead   chan struct{} // closed when it crashes
	cancel context.CancelFunc
	once   sync.Once
}

// name is the same in every replay.
func (i *instance) name() string { return fmt.Sprintf("%s%d", laneName(i.lane), i.number) }

func (i *instance) crashed() bool {
	select {
	case <-i.dead:
		return true
	default:
		return false
	}
}

// crash cuts every call of the instance; what it had sent may still arrive.
func (i *instance) crash() {
	i.once.Do(func() {
		close(i.dead)
		i.cancel()
	})
}

// wait brings a call to the gate and waits there for its result.
func (i *instance) wait(ctx context.Context, c *call) result {
	if i.crashed() {
		return result{err: &wire.TimeoutError{Fault: wire.Crash}}
	}
	c.instance, c.item, c.reply = i, consumer.ItemOf(ctx), make(chan result, 1)
	i.gate.mu.Lock()
	i.gate.waiting = append(i.gate.waiting, c)
	i.gate.mu.Unlock()
	select {
	case r := <-c.reply:
		return r
	case <-i.dead:
		c.gone.Store(true)
		return result{err: &wire.TimeoutError{Fault: wire.Crash}}
	case <-ctx.Done():
		c.gone.Store(true)
		return result{err: ctx.Err()}
	}
}

// list returns the calls whose callers wait, and those whose callers don't any more. Their order doesn't depend on which of them
// came first.
func (g *gate) list() (live, gone []*call) {
	g.mu.Lock()
	defer g.mu.Unlock()
	slices.SortStableFunc(g.waiting, func(a, b *call) int {
		return cmp.Or(cmp.Compare(a.instance.lane, b.instance.lane), cmp.Compare(a.operation, b.operation),
			cmp.Compare(a.region, b.region), cmp.Compare(a.asked, b.asked), cmp.Compare(a.item, b.item), cmp.Compare(a.instance.number, b.instance.number))
	})
	for _, c := range g.waiting {
		if c.gone.Load() {
			gone = append(gone, c)
		} else {
			live = append(live, c)
		}
	}
	return live, gone
}

func (g *gate) remove(c *call) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = slices.DeleteFunc(g.waiting, func(other *call) bool { return other == c })
}

// RoundTrip implements http.RoundTripper.
func (i *instance) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, fmt.Errorf("simulator: read the request: %w", err)
		}
		r.Body.Close()
	}
	operation := wire.OperationOf(r, body)
	if operation == "" {
		operation = r.Method + " " + r.URL.RequestURI()
	}
	request := engineRequest{operation: operation, method: r.Method, url: r.URL.String(), header: r.Header.Clone(), body: body}
	answer := i.wait(r.Context(), &call{
		operation: operation,
		region:    regionOf(r.Header),
		asked:     canonical(body),
		perform: func() result {
			status, header, text, err := i.run.server(request)
			if err != nil {
				return result{err: err}
			}
			return result{respond: func(r *http.Request) (*http.Response, error) { return wire.Answer(r, status, header, text), nil }}
		},
		refuse: func(f wire.Fault) result {
			return result{respond: func(r *http.Request) (*http.Response, error) {
				return wire.Refuse(r, wire.Call{Operation: operation, Body: body}, f)
			}}
		},
	})
	if answer.err != nil {
		return nil, answer.err
	}
	return answer.respond(r)
}

// Keep implements consumer.DeadLetters: the queue, too, is behind the wire.
func (i *instance) Keep(ctx context.Context, letters []consumer.DeadLetter) []error {
	failed := func(err error) result {
		return result{errs: slices.Repeat([]error{err}, len(letters))}
	}
	var positions []string
	for _, l := range letters {
		positions = append(positions, strings.TrimLeft(strings.TrimPrefix(l.Position.SequenceNumber, "496"), "0"))
	}
	answer := i.wait(ctx, &call{
		operation: "keep dead letters",
		asked:     strings.Join(positions, " "),
		perform: func() result {
			i.run.letters = append(i.run.letters, letters...)
			return failed(nil)
		},
		refuse: func(f wire.Fault) result { return failed(fmt.Errorf("the queue: injected %v", f)) },
	})
	if answer.err != nil {
		answer = failed(answer.err)
	}
	return answer.errs
}

// canonical writes a JSON body with sorted names and without the token that
// the SDK draws for each transaction. Any other body stays as it is.
func canonical(body []byte) string {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var fields map[string]any
	if err := decoder.Decode(&fields); err != nil || decoder.More() {
		return string(body)
	}
	delete(fields, "ClientRequestToken")
	text, err := json.Marshal(fields)
	if err != nil {
		return string(body)
	}
	return string(text)
}

// about tells in words what a call asks for: the tables and keys in it.
func (c *call) about() string {
	var fields map[string]any
	if json.Unmarshal([]byte(c.asked), &fields) != nil {
		return c.operation + " " + shorten(c.asked)
	}
	var parts []string
	var visit func(any)
	visit = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, member := range v {
				visit(member)
			}
		case map[string]any:
			name, isTable := v["TableName"].(string)
			if isTable {
				for _, of := range []string{"Key", "Item", "ExpressionAttributeValues"} {
					if values, ok := v[of].(map[string]any); ok {
						name += " " + shorten(valuesText(values))
						break
					}
				}
				parts = append(parts, name)
				return
			}
			for _, name := range sortedKeys(v) {
				visit(v[name])
			}
		}
	}
	visit(fields)
	if len(parts) > 3 {
		parts = append(parts[:2], fmt.Sprintf("and %d more", len(parts)-2))
	}
	if c.region != "" && c.region != c.instance.region {
		parts = append(parts, "in "+c.region)
	}
	return c.operation + " " + strings.Join(parts, ", ")
}

// regionOf returns the region that a signed request is for: the third part of
// its credential's scope.
func regionOf(header http.Header) string {
	_, scope, _ := strings.Cut(header.Get("Authorization"), "Credential=")
	if parts := strings.Split(scope, "/"); len(parts) > 2 {
		return parts[2]
	}
	return ""
}

func valuesText(values map[string]any) string {
	var parts []string
	for _, name := range sortedKeys(values) {
		value, _ := values[name].(map[string]any)
		parts = append(parts, consumertest.Value(value).Text())
	}
	return strings.Join(parts, "/")
}

func shorten(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
