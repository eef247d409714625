package keeper

import (
	"bytes"
	"testing"

	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/memorytest"
	"sluice/shared/consumertest/wire"
)

// TestMemoryIsFlat applies batches with new players, a rejected game and a game whose write fails. It
// fails if the keeper, or what the keeper stores about a table, remembers a name or a text of a batch.
func TestMemoryIsFlat(t *testing.T) {
	w := newWorld(t)
	k := w.keeper(func(c wire.Call) wire.Fault {
		if bytes.Contains(c.Body, []byte("unlucky")) {
			return wire.ServerError
		}
		return wire.None
	})
	memorytest.WantFlat(t, k, func(n int) []memorytest.Record {
		game := func(player string, want consumer.Outcome) memorytest.Record {
			name := consumertest.S(player)
			return memorytest.Record{Change: consumertest.Change{
				Table: "games", Time: at(1), Keys: consumertest.Item{"Game": name},
				New: consumertest.Item{"Game": name, "Player": name, "Points": consumertest.N("5")},
			}, Want: want}
		}
		return []memorytest.Record{
			game(memorytest.Name("new", n, 1900), consumer.Applied),
			game(memorytest.Name("too-long", n, 2049), consumer.Rejected),
			game(memorytest.Name("unlucky", n, 1900), consumer.Retry),
		}
	})
}
