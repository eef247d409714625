package leaderboard

import (
	"testing"

	"sluice/shared/consumertest/gametest"
	"sluice/shared/consumertest/wire"
)

// Fails if a table that changes wait for can't be probed, or is said to work while it is down.
func TestProbe(t *testing.T) {
	w := newWorld(t)
	fault := wire.None
	k := w.consumer(func(wire.Call) wire.Fault { return fault })
	views, err := Views(gametest.Declarations())
	if err != nil {
		t.Fatal(err)
	}
	destinations := []string{"table " + w.ledger}
	for _, v := range views {
		destinations = append(destinations, "table "+v.Table, "table "+v.Table+" with ledger "+w.ledger)
	}
	for _, destination := range destinations {
		fault = wire.None
		if err := k.Probe(destination)(t.Context()); err != nil {
			t.Errorf("%s: %v", destination, err)
		}
		fault = wire.ServerError
		if err := k.Probe(destination)(t.Context()); err == nil {
			t.Errorf("%s is down, but: %v", destination, err)
		}
	}
	if k.Probe("elsewhere") != nil {
		t.Error("another destination has a probe")
	}
}
