package replication

import (
	"errors"
	"testing"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumer"
	"sluice/shared/consumertest/wire"
)

// Fails if a destination that changes wait for can't be probed, or is said to work while it is down.
func TestProbe(t *testing.T) {
	w := newWorld(t)
	w.create(away, tableOf("Orders", "Id", "S"))
	r := w.consumer(toTwo)
	for destination, want := range map[string]bool{
		"table Orders (eu-west-1)": true, "table " + DefaultTombstoneTable + " (eu-west-1)": true, "table " + DefaultTombstoneTable + " (" + servertest.Region + ")": true,
		"table OpenOrders (us-east-1)": false, // it isn't there
	} {
		if err := r.Probe(t.Context(), destination); (err == nil) != want || errors.Is(err, consumer.ErrNoProbe) {
			t.Errorf("%s: %v", destination, err)
		}
	}
	if err := r.Probe(t.Context(), "elsewhere"); !errors.Is(err, consumer.ErrNoProbe) {
		t.Errorf("another destination: %v", err)
	}
	w.fault = func(wire.Call) wire.Fault { return wire.ServerError }
	if err := w.consumer(toTwo).Probe(t.Context(), "table Orders (eu-west-1)"); err == nil {
		t.Error("a table that answers nothing but errors works")
	}
	if item := w.get(away, "Orders", "//sluice-probe"); item != nil {
		t.Errorf("the probe wrote %v", item)
	}
}
