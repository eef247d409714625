package replication

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"

	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/meter"
)

// BenchmarkUnits reports what a change costs in write and read units and in calls,
// as DynamoDB itself counts them, for each kind of change, each delivered once,
// in order; and for ten changes of one item in a batch. It counts and doesn't
// time, so once (-benchtime 1x, as `make bench` has it) is enough.
func BenchmarkUnits(b *testing.B) {
	const items = 100
	m := &meter.Meter{}
	cfg := newCopies(b)
	cfg.APIOptions = append(cfg.APIOptions, m.Install)
	replicate, err := newOfRoutes(shippedRoute)(cfg)
	if err != nil {
		b.Fatal(err)
	}
	function := consumer.NewHandler("replication", replicate, nil, consumer.Settings{}, slog.New(slog.DiscardHandler), io.Discard)
	began, made := time.Now(), 0
	text := func(s string) func(id string) consumertest.Item {
		return func(id string) consumertest.Item {
			return consumertest.Item{"Id": consumertest.S(id), "text": consumertest.S(s)}
		}
	}
	nothing := func(string) consumertest.Item { return nil }
	deliver := func(b *testing.B, changes int, before, after func(id string) consumertest.Item) {
		b.Helper()
		var records [][]byte
		for i := range changes * items {
			made++
			id := fmt.Sprint(i % items)
			records = append(records, consumertest.Change{
				Table: "Source", Time: began.Add(time.Duration(made) * time.Microsecond),
				Keys: consumertest.Item{"Id": consumertest.S(id)}, Old: before(id), New: after(id),
			}.Record())
		}
		answer, err := function.Invoke(b.Context(), consumertest.Payload(1+made, records...))
		if err != nil || bytes.Contains(answer, []byte("itemIdentifier")) {
			b.Fatalf("changes failed: %s, %v", answer, err)
		}
	}
	deliver(b, 1, nothing, text("warm")) // looks at the tables
	deliver(b, 1, text("warm"), nothing)
	for _, kind := range []struct {
		name          string
		changes       int // of each item
		before, after func(string) consumertest.Item
	}{
		{"insert", 1, nothing, text("a")},
		{"modify", 1, text("a"), text("b")},
		{"modify/changes=10", 10, text("b"), text("c")},
		{"remove", 1, text("c"), nothing},
	} {
		b.Run(kind.name, func(b *testing.B) {
			m.Take()
			deliver(b, kind.changes, kind.before, kind.after)
			used, n := m.Take(), float64(kind.changes*items)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(used.WriteUnits/n, "write-units/change")
			b.ReportMetric(used.ReadUnits/n, "read-units/change")
			b.ReportMetric(float64(used.Calls)/n, "calls/change")
		})
	}
}
