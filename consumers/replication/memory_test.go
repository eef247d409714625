package replication

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"sluice/consumers/replication/internal/store"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/memorytest"
	"sluice/shared/consumertest/wire"
)

// TestMemoryIsFlat copies batches with new items, a removed item, an item that no table takes and an
// item whose write fails, to a copy and to a shared table. It fails if replication remembers a key
// or a text of a batch.
func TestMemoryIsFlat(t *testing.T) {
	w := newWorld(t)
	regions := []string{servertest.Region, away}
	for _, region := range regions {
		w.create(region, tableOf("Shared", "Id", "S"))
		w.create(region, tableOf(DefaultConflictTable, store.ConflictKey, "B", store.ConflictMark, "B"))
	}
	w.create(away, tableOf("Copy", "Id", "S"))
	w.fault = func(c wire.Call) wire.Fault {
		if bytes.Contains(c.Body, []byte("unlucky")) {
			return wire.Denied // the SDK does not try such a call again
		}
		return wire.None
	}
	r := w.consumer(strings.ReplaceAll(shippedRoute, "Source", "Orders"))
	faulty := w.config.Copy()
	faulty.HTTPClient = &http.Client{Transport: &wire.Transport{Decide: w.fault}}
	r.mirrors = append(r.mirrors, newMirror(faulty, DefaultSettings(), &Shared{Name: "shared", Table: "Shared", Regions: regions},
		func() time.Time { return consumertest.Arrival }, func() uint64 { return 7 }))
	memorytest.WantFlat(t, r, func(n int) (batch []memorytest.Record) {
		for _, table := range []string{"Orders", "Shared"} {
			for _, item := range []struct {
				kind string
				size int
				want consumer.Outcome
			}{{"new", 1900, consumer.Applied}, {"removed", 1900, consumer.Applied}, {"too-long", 2049, consumer.Rejected}, {"unlucky", 1900, consumer.Retry}} {
				key := consumertest.Item{"Id": consumertest.S(memorytest.Name(item.kind, n, item.size))}
				c := consumertest.Change{Table: table, Time: consumertest.Arrival.Add(-time.Minute), Keys: key, New: key}
				if item.kind == "removed" {
					c.New, c.Old = nil, key
				}
				batch = append(batch, memorytest.Record{Change: c, Want: item.want})
			}
		}
		return batch
	})
}
