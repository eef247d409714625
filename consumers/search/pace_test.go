package search_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"sluice/consumers/search/internal/searchtest"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
)

// slow answers a bulk request only once each of its documents has taken some time.
type slow struct {
	performer
	request, document time.Duration
	documents         int // that were sent
}

func (s *slow) Perform(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	n := bytes.Count(body, []byte(`"version_type":"external"`))
	s.documents += n
	r.Body = io.NopCloser(bytes.NewReader(body))
	if n > 0 {
		timer := time.NewTimer(s.request + time.Duration(n)*s.document)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	return s.performer.Perform(r)
}

// Each delivery of a batch that doesn't fit its time does some of it from its start on,
// also if OpenSearch has just become slow; on a fast one a batch is one request. Fails if
// a batch is one request whatever the time.
func TestEachDeliveryGetsOn(t *testing.T) {
	const batch, timeout = 60, 2 * time.Second
	for name, test := range map[string]struct {
		request, document time.Duration
		knows             bool // that it was fast before
	}{
		"slow from the start":              {50 * time.Millisecond, 100 * time.Millisecond, false},
		"slow requests":                    {600 * time.Millisecond, 0, false},
		"became slow":                      {20 * time.Millisecond, 100 * time.Millisecond, true},
		"a call takes a third of the time": {600 * time.Millisecond, 40 * time.Millisecond, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // each waits most of the time
			g := searchtest.NewTarget(t, servertest.OpenSearch(t), nil)
			var changes []consumertest.Change
			for i := range batch {
				changes = append(changes, searchtest.At(1, fmt.Sprint(i), searchtest.Text("x")))
			}
			g.Apply([]consumertest.Change{searchtest.At(0, "first", searchtest.Text("x"))}, consumer.Applied)
			g.Apply([]consumertest.Change{searchtest.At(1, "first", searchtest.Text("x"))}, consumer.Applied)
			if !test.knows {
				g.Restart()
			}
			transport := g.Client.API.Transport
			server := &slow{performer: performer{roundTripper{transport}}, request: test.request, document: test.document}
			g.Client.API.Transport = server
			defer func() { g.Client.API.Transport = transport }()
			done := 0
			for deliveries := 1; done < batch; deliveries++ {
				ctx, cancel := context.WithTimeout(t.Context(), timeout)
				errs := g.ApplyBatch(ctx, searchtest.ParsedAll(changes[done:]))
				cancel()
				before := done
				for _, err := range errs {
					if consumer.OutcomeOf(err) == consumer.Retry {
						break
					}
					done++
				}
				if done == before {
					t.Fatalf("delivery %d does nothing at place %d: %v", deliveries, done, errs[0])
				}
			}
			if server.documents > 5*batch {
				t.Errorf("%d documents were sent for %d", server.documents, batch)
			}
		})
	}
	// With time enough a known server gets all at once.
	g := searchtest.NewTarget(t, servertest.OpenSearch(t), nil)
	g.Apply([]consumertest.Change{searchtest.At(0, "first", searchtest.Text("x"))}, consumer.Applied)
	g.Apply([]consumertest.Change{searchtest.At(1, "first", searchtest.Text("x"))}, consumer.Applied) // without an index to be made
	requests := 0
	transport := g.Client.API.Transport
	g.Client.API.Transport = performer{counted{transport, &requests}}
	defer func() { g.Client.API.Transport = transport }()
	var changes []consumertest.Change
	for i := range batch {
		changes = append(changes, searchtest.At(1, fmt.Sprint(i), searchtest.Text("x")))
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, err := range g.ApplyBatch(ctx, searchtest.ParsedAll(changes)) {
		if err != nil && consumer.OutcomeOf(err) != consumer.Applied {
			t.Error(err)
		}
	}
	if requests != 1 {
		t.Errorf("%d requests for a batch, want 1", requests)
	}
}

type transport interface {
	Perform(*http.Request) (*http.Response, error)
}

// roundTripper makes what the client has for a transport one.
type roundTripper struct{ transport }

func (t roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return t.Perform(r) }

// counted counts requests.
type counted struct {
	transport
	requests *int
}

func (c counted) RoundTrip(r *http.Request) (*http.Response, error) {
	*c.requests++
	return c.Perform(r)
}
