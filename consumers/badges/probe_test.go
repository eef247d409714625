package badges

import (
	"errors"
	"testing"

	"sluice/shared/consumer"
	"sluice/shared/consumertest/wire"
)

// Fails if a destination that changes wait for can't be probed, or is said to work while it is down.
func TestProbe(t *testing.T) {
	w := newWorld(t)
	fault := wire.None
	b := w.function(func(wire.Call) wire.Fault { return fault })
	for _, destination := range []string{
		b.table.puts(), b.table.updates(), b.table.reads(), b.table.stateReads(), b.table.stateGets(), "table " + b.table.State,
	} {
		fault = wire.None
		if err := b.Probe(t.Context(), destination); err != nil {
			t.Errorf("%s: %v", destination, err)
		}
		fault = wire.ServerError
		if err := b.Probe(t.Context(), destination); err == nil || errors.Is(err, consumer.ErrNoProbe) {
			t.Errorf("%s is down, but: %v", destination, err)
		}
	}
	if err := b.Probe(t.Context(), b.topic.destination()); !errors.Is(err, consumer.ErrNoProbe) {
		t.Errorf("the topic: %v", err)
	}
}
