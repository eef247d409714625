package replication

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/gametest"
	"sluice/shared/consumertest/proof"
	"sluice/shared/consumertest/wire"
)

const farAndNear = `replicas:
  - name: far
    from: {table: Orders}
    into: {table: Copy, region: eu-west-1}
  - name: near
    from: {table: Orders}
    into: {table: Near, region: us-east-1}
  - name: games
    from: {table: Games}
    into: {table: GamesNear, region: us-east-1}
`

// farAway sends what goes to the region of the copies by another way.
type farAway struct{ http.RoundTripper }

func (f farAway) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.Contains(r.Header.Get("Authorization"), "/"+away+"/") {
		return f.RoundTripper.RoundTrip(r)
	}
	return http.DefaultTransport.RoundTrip(r)
}

// One of two regions can't be reached for ten minutes, or its table of tombstones is
// forbidden, while changes of two tables come and are delivered again and again. Fails
// if what goes to the other region makes dead letters of what waits, or waits too; and
// if anything isn't in the copies once the region is back.
func TestOneRegionDown(t *testing.T) {
	for name, hit := range map[string]func(wire.Call) bool{
		"unreachable":  func(wire.Call) bool { return true },
		"a table only": func(c wire.Call) bool { return bytes.Contains(c.Body, []byte(DefaultTombstoneTable)) },
	} {
		t.Run(name, func(t *testing.T) { oneRegionDown(t, hit) })
	}
}

func oneRegionDown(t *testing.T, hit func(wire.Call) bool) {
	const outage = 10 * time.Minute
	again := outage / time.Duration(proof.Size(20, 5))
	w := newWorld(t)
	w.create(away, tableOf("Copy", "Id", "S"))
	for _, table := range []string{"Near", "GamesNear"} {
		w.create(servertest.Region, tableOf(table, "Id", "S"))
	}
	down := false
	cfg := w.config.Copy()
	cfg.HTTPClient = &http.Client{Transport: farAway{&wire.Transport{Decide: func(c wire.Call) wire.Fault {
		if down && hit(c) {
			return wire.LostRequest
		}
		return wire.None
	}}}}
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} } // the function's own would take their time
	now := consumertest.Arrival
	routes, err := Routes(gametest.With(ReplicasFile, "test.yaml", farAndNear), cfg.Region)
	if err != nil {
		t.Fatal(err)
	}
	replicate := NewOf(cfg, DefaultSettings(), routes, func() time.Time { return now })
	var kept letters
	var logs, metrics bytes.Buffer
	h := consumer.NewHandler("replication", replicate, &kept, consumer.Settings{}, slog.New(slog.NewTextHandler(&logs, nil)), &metrics)
	h.Now = func() time.Time { return now }
	record := func(table, id string) []byte {
		item := consumertest.Item{"Id": consumertest.S(id), "at": consumertest.N(fmt.Sprint(now.Unix()))}
		return consumertest.Change{Table: table, Time: now, Keys: consumertest.Item{"Id": item["Id"]}, New: item}.Record()
	}
	first, records := 1, [][]byte(nil)
	deliver := func() (done bool) {
		t.Helper()
		answer, err := h.Invoke(t.Context(), consumertest.Payload(first, records...))
		if err != nil {
			t.Fatal(err)
		}
		return !bytes.Contains(answer, []byte("itemIdentifier"))
	}
	wantCopied := func(region, table string, ids ...string) {
		t.Helper()
		for n := range outage / again {
			for _, id := range ids {
				want := fmt.Sprint(consumertest.Arrival.Add((n+1)*again).Unix(), "e0")
				if got := w.get(region, table, fmt.Sprint(id, int(n))); got == nil || textOf(got["at"]) != want {
					t.Errorf("table %s has %v for %s%d, want at %s", table, got, id, int(n), want)
				}
			}
		}
	}
	for n := range int(outage / again) {
		records = append(records, record("Orders", fmt.Sprint("old", n)))
	}
	if !deliver() {
		t.Fatal("before the outage: not done")
	}
	first, records = first+len(records), nil
	down = true
	for n := range outage / again {
		now = now.Add(again)
		for _, id := range []string{"old", "new"} { // an update needs no tombstone
			records = append(records, record("Orders", fmt.Sprint(id, int(n))))
		}
		records = append(records, record("Games", fmt.Sprint("new", int(n))))
		if deliver() {
			t.Fatalf("%v after the outage began: done", now.Sub(consumertest.Arrival))
		}
	}
	wantCopied(servertest.Region, "Near", "old", "new")
	wantCopied(servertest.Region, "GamesNear", "new")
	if !strings.Contains(logs.String(), away+")") || strings.Contains(logs.String(), "("+servertest.Region+")") {
		t.Error("the log doesn't say which destination is down, or names another")
	}
	if !strings.Contains(metrics.String(), `"DestinationsDown":1`) {
		t.Error("the metrics don't count the destination")
	}
	down = false
	if !deliver() {
		t.Error("after the outage: not done")
	}
	wantCopied(away, "Copy", "old", "new")
	if len(kept) > 0 {
		t.Errorf("%d dead letters, the first, %s: %s", len(kept), kept[0].Reason, kept[0].Error)
	}
}
