package replication

import (
	"testing"

	"sluice/deploy/local/servers/servertest"
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
		if err := r.Probe(destination)(t.Context()); (err == nil) != want {
			t.Errorf("%s: %v", destination, err)
		}
	}
	if r.Probe("elsewhere") != nil {
		t.Error("another destination has a probe")
	}
	w.fault = func(wire.Call) wire.Fault { return wire.ServerError }
	if err := w.consumer(toTwo).Probe("table Orders (eu-west-1)")(t.Context()); err == nil {
		t.Error("a table that answers nothing but errors works")
	}
	if item := w.get(away, "Orders", "//sluice-probe"); item != nil {
		t.Errorf("the probe wrote %v", item)
	}
}
