package search_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"sluice/consumers/search/internal/document"
	"sluice/consumers/search/internal/searchtest"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/proof"
	"sluice/shared/consumertest/wire"
)

// OpenSearch can't be reached for ten minutes, or takes no requests, or does what it is
// asked but answers too late, while changes come and are delivered again and again.
// Fails if any of them makes a dead letter, or isn't in the index once it is back.
func TestDown(t *testing.T) {
	for _, fault := range []wire.Fault{wire.LostRequest, wire.LostAnswer, wire.Throttle, wire.ServerError} {
		t.Run(fault.String(), func(t *testing.T) { down(t, fault) })
	}
}

func down(t *testing.T, fault wire.Fault) {
	outage, again := 600, proof.Size(30, 120) // seconds
	fails := false
	g := searchtest.NewTarget(t, servertest.OpenSearch(t), nil)
	transport := g.Client.API.Transport
	t.Cleanup(func() { g.Client.API.Transport = transport })
	g.Client.API.Transport = performer{&wire.Transport{Base: searchtest.RoundTripper(transport.Perform), Decide: func(wire.Call) wire.Fault {
		if fails {
			return fault
		}
		return wire.None
	}}}
	var kept letters
	var logs, metrics bytes.Buffer
	h := consumer.NewHandler("search", g.Search, &kept, consumer.Settings{}, slog.New(slog.NewTextHandler(&logs, nil)), &metrics)
	h.Now = func() time.Time { return g.Clock }
	first, records := 1, [][]byte(nil)
	deliver := func() (done bool) {
		t.Helper()
		answer, err := h.Invoke(t.Context(), consumertest.Payload(first, records...))
		if err != nil {
			t.Fatal(err)
		}
		return !bytes.Contains(answer, []byte("itemIdentifier"))
	}
	want := map[string]string{}
	for n := again; n <= outage; n += again {
		records = append(records, searchtest.At(0, fmt.Sprint("gone ", n), searchtest.Text("x")).Record(), searchtest.At(0, fmt.Sprint("old ", n), searchtest.Text("x")).Record())
	}
	if !deliver() {
		t.Fatal("before the outage: not done")
	}
	first, records = first+len(records), nil
	fails = true
	for n := again; n <= outage; n += again {
		g.Clock = consumertest.Arrival.Add(time.Duration(n) * time.Second)
		records = append(records, searchtest.At(n, fmt.Sprint("gone ", n), nil).Record())
		for _, id := range []string{fmt.Sprint("old ", n), fmt.Sprint("new ", n), "every time"} {
			want[id] = fmt.Sprint("at ", n)
			records = append(records, searchtest.At(n, id, searchtest.Text(want[id])).Record())
		}
		if deliver() {
			t.Fatalf("%d s after the outage began: done", n)
		}
	}
	if said := logs.String(); !strings.Contains(said, "destination is down") || !strings.Contains(said, "index "+searchtest.Lane(g.Cfg)) {
		t.Error("the log doesn't say which index is down")
	}
	if !strings.Contains(metrics.String(), `"DestinationsDown":1`) {
		t.Error("the metrics don't count the index")
	}
	fails = false
	if !deliver() {
		t.Error("after the outage: not done")
	}
	if got := g.Texts(searchtest.Lane(g.Cfg)); !maps.Equal(got, want) {
		t.Errorf("people find %v, want %v", got, want)
	}
	if len(kept) > 0 {
		t.Errorf("%d dead letters, the first, %s: %s", len(kept), kept[0].Reason, kept[0].Error)
	}
}

// performer makes a transport what the client wants.
type performer struct{ http.RoundTripper }

func (p performer) Perform(r *http.Request) (*http.Response, error) { return p.RoundTrip(r) }

// While one index is red, others go on. Fails if a batch for both gets no answer until
// the function's time is over.
func TestRedIndex(t *testing.T) {
	g := searchtest.NewTarget(t, servertest.OpenSearch(t), nil)
	g.Client.Await = 50 * time.Millisecond
	pauses := pausing(g, func() {})
	index := searchtest.Lane(g.Cfg)
	other := *g.Routes[0]
	other.Source, other.Index = "Other", index+"-other"
	g.Restart(&other)
	goes := func(seconds int) consumertest.Change {
		c := searchtest.At(seconds, "b", searchtest.Text("y"))
		c.Table = other.Source
		return c
	}
	g.Apply([]consumertest.Change{goes(0)}, consumer.Applied)
	makeRed(g)

	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	errs := g.ApplyBatch(ctx, []*change.Change{searchtest.Parsed(searchtest.At(1, "a", searchtest.Text("x"))), searchtest.Parsed(goes(1))})
	if a, b := consumer.OutcomeOf(errs[0]), consumer.OutcomeOf(errs[1]); a != consumer.Retry || b != consumer.Applied {
		t.Errorf("the red index's change is %v (%v), want %v; the other one's %v (%v), want %v", a, errs[0], consumer.Retry, b, errs[1], consumer.Applied)
	}
	if want := retry.DefaultMaxAttempts - 1; *pauses != want {
		t.Errorf("%d pauses, want %d", *pauses, want)
	}
	cure(g)
	g.Apply([]consumertest.Change{searchtest.At(1, "a", searchtest.Text("x")), goes(1)}, consumer.Applied, consumer.Duplicate)
}

// What OpenSearch can't take at the moment is written again in the same batch, after a
// pause in which the index comes back; what it took before isn't.
func TestIndexComesBack(t *testing.T) {
	for name, test := range map[string]struct{ block, unblock func(*searchtest.Target) }{
		"red (503)": {makeRed, cure},
		"flood stage (429)": {
			func(g *searchtest.Target) {
				g.Apply([]consumertest.Change{searchtest.At(0, "a", searchtest.Text("x"))}, consumer.Applied)
				g.Must(http.MethodPut, "/"+searchtest.Lane(g.Cfg)+"-1/_settings", `{"index.blocks.read_only_allow_delete": true}`, nil)
			},
			func(g *searchtest.Target) {
				g.Must(http.MethodPut, "/"+searchtest.Lane(g.Cfg)+"-1/_settings", `{"index.blocks.read_only_allow_delete": null}`, nil)
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := searchtest.NewTarget(t, servertest.OpenSearch(t), nil)
			g.Client.Await = 50 * time.Millisecond
			test.block(g)
			pauses := pausing(g, func() { test.unblock(g) })
			g.Apply([]consumertest.Change{searchtest.At(1, "a", searchtest.Text("y")), searchtest.At(1, "b", searchtest.Text("y"))}, consumer.Applied, consumer.Applied)
			if *pauses != 1 {
				t.Errorf("%d pauses, want 1", *pauses)
			}
		})
	}
}

// pausing lets something happen in each pause before a repeat, and counts these.
func pausing(g *searchtest.Target, happens func()) *int {
	pauses := 0
	g.Client.Retryer = func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) {
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) {
				pauses++
				happens()
				return 0, nil
			})
		})
	}
	return &pauses
}

// makeRed makes the index, with aliases, where no node may have it; cure lets one.
func makeRed(g *searchtest.Target) {
	g.T.Helper()
	index := searchtest.Lane(g.Cfg)
	g.Must(http.MethodPut, "/"+index+"-1?wait_for_active_shards=0",
		`{"settings": {"number_of_replicas": 0, "index.routing.allocation.require.zone": "none"}, "mappings": {"dynamic": false},
		"aliases": {"`+index+`": {}, "`+index+document.AllSuffix+`": {}}}`, nil)
}

func cure(g *searchtest.Target) {
	g.T.Helper()
	index := searchtest.Lane(g.Cfg)
	g.Must(http.MethodPut, "/"+index+"-1/_settings", `{"index.routing.allocation.require.zone": null}`, nil)
	g.Must(http.MethodGet, "/_cluster/health/"+index+"-1?wait_for_status=green&timeout=30s", "", nil)
}

// An index that can't be written to for a while keeps its changes waiting, and none
// becomes a dead letter: read-only since the disk is full (429), closed for writing
// (403), an alias that leads nowhere or to two indexes.
func TestBlockedIndex(t *testing.T) {
	g := searchtest.NewTarget(t, servertest.OpenSearch(t), nil)
	index := searchtest.Lane(g.Cfg)
	g.Apply([]consumertest.Change{searchtest.At(0, "a", searchtest.Text("x"))}, consumer.Applied)
	batch := []consumertest.Change{searchtest.At(1, "a", searchtest.Text("y")), searchtest.At(2, "a", searchtest.Text("z")), searchtest.At(1, "b", searchtest.Text("y"))}
	for _, block := range []string{"read_only_allow_delete", "write", "read_only"} {
		g.Must(http.MethodPut, "/"+index+"-1/_settings", `{"index.blocks.`+block+`": true}`, nil)
		g.Apply(batch, consumer.Retry, consumer.Retry, consumer.Retry)
		g.Must(http.MethodPut, "/"+index+"-1/_settings", `{"index.blocks.`+block+`": null}`, nil)
	}
	g.Must(http.MethodPut, "/"+index+"-2", `{"aliases": {"`+index+document.AllSuffix+`": {}}}`, nil)
	g.Apply(batch, consumer.Retry, consumer.Retry, consumer.Retry)
	g.Must(http.MethodDelete, "/"+index+"-2", "", nil)
	g.Must(http.MethodDelete, "/"+index+"-1/_alias/"+index+document.AllSuffix, "", nil)
	if errs := g.Apply(batch, consumer.Retry, consumer.Retry, consumer.Retry); !strings.Contains(errs[0].Error(), "give it both aliases") {
		t.Errorf("the alias is gone: %v", errs[0])
	}
	g.Must(http.MethodPut, "/"+index+"-1/_alias/"+index+document.AllSuffix, "", nil)
	g.Apply(batch, consumer.Stale, consumer.Applied, consumer.Applied)
}

// Fails if changes that wait for a blocked index become dead letters because another
// index takes documents.
func TestOneIndexBlocked(t *testing.T) {
	g := searchtest.NewTarget(t, servertest.OpenSearch(t), nil)
	blocked, other := g.Routes[0], *g.Routes[0]
	other.Source, other.Index = "Other", blocked.Index+"-other"
	g.Restart(&other)
	g.Apply([]consumertest.Change{searchtest.At(0, "a", searchtest.Text("x"))}, consumer.Applied)
	g.Must(http.MethodPut, "/"+blocked.Index+"-1/_settings", `{"index.blocks.write": true}`, nil)

	var kept letters
	h := consumer.NewHandler("search", g.Search, &kept, consumer.Settings{}, slog.New(slog.DiscardHandler), io.Discard)
	h.Now = func() time.Time { return g.Clock }
	waits, goes := searchtest.At(1, "a", searchtest.Text("y")), searchtest.At(1, "b", searchtest.Text("y"))
	goes.Table = other.Source
	for end := g.Clock.Add(10 * time.Minute); g.Clock.Before(end); g.Clock = g.Clock.Add(30 * time.Second) {
		if _, err := h.Invoke(t.Context(), consumertest.Payload(1, waits.Record(), goes.Record())); err != nil {
			t.Fatal(err)
		}
	}
	if len(kept) > 0 {
		t.Errorf("%d dead letters, the first: %s", len(kept), kept[0].Error)
	}
	g.Must(http.MethodPut, "/"+blocked.Index+"-1/_settings", `{"index.blocks.write": null}`, nil)
	g.Apply([]consumertest.Change{waits, goes}, consumer.Applied, consumer.Duplicate)
}

type letters []consumer.DeadLetter

// Keep implements consumer.DeadLetters.
func (l *letters) Keep(_ context.Context, kept []consumer.DeadLetter) []error {
	*l = append(*l, kept...)
	return make([]error, len(kept))
}
