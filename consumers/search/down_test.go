package search

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

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
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
	const outage, again = 600, 30 // seconds
	fails := false
	g := newTarget(t, servertest.OpenSearch(t), nil)
	transport := g.client.api.Transport
	t.Cleanup(func() { g.client.api.Transport = transport })
	g.client.api.Transport = performer{&wire.Transport{Base: altering(transport.Perform), Decide: func(wire.Call) wire.Fault {
		if fails {
			return fault
		}
		return wire.None
	}}}
	var kept letters
	var logs, metrics bytes.Buffer
	h := consumer.NewHandler("search", g.Search, &kept, consumer.Settings{}, slog.New(slog.NewTextHandler(&logs, nil)), &metrics)
	h.Now = g.now
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
		records = append(records, at(0, fmt.Sprint("gone ", n), text("x")).Record(), at(0, fmt.Sprint("old ", n), text("x")).Record())
	}
	if !deliver() {
		t.Fatal("before the outage: not done")
	}
	first, records = first+len(records), nil
	fails = true
	for n := again; n <= outage; n += again {
		g.clock = consumertest.Arrival.Add(time.Duration(n) * time.Second)
		records = append(records, at(n, fmt.Sprint("gone ", n), nil).Record())
		for _, id := range []string{fmt.Sprint("old ", n), fmt.Sprint("new ", n), "every time"} {
			want[id] = fmt.Sprint("at ", n)
			records = append(records, at(n, id, text(want[id])).Record())
		}
		if deliver() {
			t.Fatalf("%d s after the outage began: done", n)
		}
	}
	if said := logs.String(); !strings.Contains(said, "destination is down") || !strings.Contains(said, "index "+lane(g.cfg)) {
		t.Error("the log doesn't say which index is down")
	}
	if !strings.Contains(metrics.String(), `"DestinationsDown":1`) {
		t.Error("the metrics don't count the index")
	}
	fails = false
	if !deliver() {
		t.Error("after the outage: not done")
	}
	if got := g.texts(lane(g.cfg)); !maps.Equal(got, want) {
		t.Errorf("people find %v, want %v", got, want)
	}
	if len(kept) > 0 {
		t.Errorf("%d dead letters, the first, %s: %s", len(kept), kept[0].Reason, kept[0].Error)
	}
}

// performer makes a transport what the client wants.
type performer struct{ http.RoundTripper }

func (p performer) Perform(r *http.Request) (*http.Response, error) { return p.RoundTrip(r) }

// texts returns what a search of the alias finds, after a refresh: the text of each
// document, by id.
func (g *target) texts(alias string) map[string]string {
	g.t.Helper()
	g.must(http.MethodPost, "/"+lane(g.cfg)+AllSuffix+"/_refresh", "", nil)
	var answer struct {
		Hits struct {
			Hits []struct {
				ID     string                `json:"_id"`
				Source struct{ Text string } `json:"_source"`
			}
		}
	}
	g.must(http.MethodPost, "/"+alias+"/_search", `{"size": 10000}`, &answer)
	found := map[string]string{}
	for _, hit := range answer.Hits.Hits {
		found[hit.ID] = hit.Source.Text
	}
	return found
}

// While one index is red, others go on. Fails if a batch for both gets no answer until
// the function's time is over.
func TestRedIndex(t *testing.T) {
	g := newTarget(t, servertest.OpenSearch(t), nil)
	g.client.await = 50 * time.Millisecond
	pauses := g.pausing(func() {})
	index := lane(g.cfg)
	other := *g.routes[0]
	other.Source, other.Index = "Other", index+"-other"
	g.routes = append(g.routes, &other)
	goes := func(seconds int) consumertest.Change {
		c := at(seconds, "b", text("y"))
		c.Table = other.Source
		return c
	}
	g.apply([]consumertest.Change{goes(0)}, consumer.Applied)
	makeRed(g)

	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	errs := g.ApplyBatch(ctx, []*change.Change{parsed(at(1, "a", text("x"))), parsed(goes(1))})
	if a, b := consumer.OutcomeOf(errs[0]), consumer.OutcomeOf(errs[1]); a != consumer.Retry || b != consumer.Applied {
		t.Errorf("the red index's change is %v (%v), want %v; the other one's %v (%v), want %v", a, errs[0], consumer.Retry, b, errs[1], consumer.Applied)
	}
	if want := retry.DefaultMaxAttempts - 1; *pauses != want {
		t.Errorf("%d pauses, want %d", *pauses, want)
	}
	cure(g)
	g.apply([]consumertest.Change{at(1, "a", text("x")), goes(1)}, consumer.Applied, consumer.Duplicate)
}

// What OpenSearch can't take at the moment is written again in the same batch, after a
// pause in which the index comes back; what it took before isn't.
func TestIndexComesBack(t *testing.T) {
	for name, test := range map[string]struct{ block, unblock func(*target) }{
		"red (503)": {makeRed, cure},
		"flood stage (429)": {
			func(g *target) {
				g.apply([]consumertest.Change{at(0, "a", text("x"))}, consumer.Applied)
				g.must(http.MethodPut, "/"+lane(g.cfg)+"-1/_settings", `{"index.blocks.read_only_allow_delete": true}`, nil)
			},
			func(g *target) {
				g.must(http.MethodPut, "/"+lane(g.cfg)+"-1/_settings", `{"index.blocks.read_only_allow_delete": null}`, nil)
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := newTarget(t, servertest.OpenSearch(t), nil)
			g.client.await = 50 * time.Millisecond
			test.block(g)
			pauses := g.pausing(func() { test.unblock(g) })
			g.apply([]consumertest.Change{at(1, "a", text("y")), at(1, "b", text("y"))}, consumer.Applied, consumer.Applied)
			if *pauses != 1 {
				t.Errorf("%d pauses, want 1", *pauses)
			}
		})
	}
}

// pausing lets something happen in each pause before a repeat, and counts these.
func (g *target) pausing(happens func()) *int {
	pauses := 0
	g.client.retryer = func() aws.Retryer {
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
func makeRed(g *target) {
	g.t.Helper()
	index := lane(g.cfg)
	g.must(http.MethodPut, "/"+index+"-1?wait_for_active_shards=0",
		`{"settings": {"number_of_replicas": 0, "index.routing.allocation.require.zone": "none"}, "mappings": {"dynamic": false},
		"aliases": {"`+index+`": {}, "`+index+AllSuffix+`": {}}}`, nil)
}

func cure(g *target) {
	g.t.Helper()
	index := lane(g.cfg)
	g.must(http.MethodPut, "/"+index+"-1/_settings", `{"index.routing.allocation.require.zone": null}`, nil)
	g.must(http.MethodGet, "/_cluster/health/"+index+"-1?wait_for_status=green&timeout=30s", "", nil)
}

// An index that can't be written to for a while keeps its changes waiting, and none
// becomes a dead letter: read-only since the disk is full (429), closed for writing
// (403), an alias that leads nowhere or to two indexes.
func TestBlockedIndex(t *testing.T) {
	g := newTarget(t, servertest.OpenSearch(t), nil)
	index := lane(g.cfg)
	g.apply([]consumertest.Change{at(0, "a", text("x"))}, consumer.Applied)
	batch := []consumertest.Change{at(1, "a", text("y")), at(2, "a", text("z")), at(1, "b", text("y"))}
	for _, block := range []string{"read_only_allow_delete", "write", "read_only"} {
		g.must(http.MethodPut, "/"+index+"-1/_settings", `{"index.blocks.`+block+`": true}`, nil)
		g.apply(batch, consumer.Retry, consumer.Retry, consumer.Retry)
		g.must(http.MethodPut, "/"+index+"-1/_settings", `{"index.blocks.`+block+`": null}`, nil)
	}
	g.must(http.MethodPut, "/"+index+"-2", `{"aliases": {"`+index+AllSuffix+`": {}}}`, nil)
	g.apply(batch, consumer.Retry, consumer.Retry, consumer.Retry)
	g.must(http.MethodDelete, "/"+index+"-2", "", nil)
	g.must(http.MethodDelete, "/"+index+"-1/_alias/"+index+AllSuffix, "", nil)
	if errs := g.apply(batch, consumer.Retry, consumer.Retry, consumer.Retry); !strings.Contains(errs[0].Error(), "give it both aliases") {
		t.Errorf("the alias is gone: %v", errs[0])
	}
	g.must(http.MethodPut, "/"+index+"-1/_alias/"+index+AllSuffix, "", nil)
	g.apply(batch, consumer.Stale, consumer.Applied, consumer.Applied)
}

// Fails if changes that wait for a blocked index become dead letters because another
// index takes documents.
func TestOneIndexBlocked(t *testing.T) {
	g := newTarget(t, servertest.OpenSearch(t), nil)
	blocked, other := g.routes[0], *g.routes[0]
	other.Source, other.Index = "Other", blocked.Index+"-other"
	g.routes = append(g.routes, &other)
	g.apply([]consumertest.Change{at(0, "a", text("x"))}, consumer.Applied)
	g.must(http.MethodPut, "/"+blocked.Index+"-1/_settings", `{"index.blocks.write": true}`, nil)

	var kept letters
	h := consumer.NewHandler("search", g.Search, &kept, consumer.Settings{}, slog.New(slog.DiscardHandler), io.Discard)
	h.Now = g.now
	waits, goes := at(1, "a", text("y")), at(1, "b", text("y"))
	goes.Table = other.Source
	for end := g.clock.Add(10 * time.Minute); g.clock.Before(end); g.clock = g.clock.Add(30 * time.Second) {
		if _, err := h.Invoke(t.Context(), consumertest.Payload(1, waits.Record(), goes.Record())); err != nil {
			t.Fatal(err)
		}
	}
	if len(kept) > 0 {
		t.Errorf("%d dead letters, the first: %s", len(kept), kept[0].Error)
	}
	g.must(http.MethodPut, "/"+blocked.Index+"-1/_settings", `{"index.blocks.write": null}`, nil)
	g.apply([]consumertest.Change{waits, goes}, consumer.Applied, consumer.Duplicate)
}

type letters []consumer.DeadLetter

// Keep implements consumer.DeadLetters.
func (l *letters) Keep(_ context.Context, kept []consumer.DeadLetter) []error {
	*l = append(*l, kept...)
	return make([]error, len(kept))
}
