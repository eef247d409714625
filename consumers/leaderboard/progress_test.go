package leaderboard

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"sluice/shared/consumertest"
	"sluice/shared/consumertest/gametest"
	"sluice/shared/consumertest/proof"
	"sluice/shared/consumertest/wire"
)

// TestEveryDeliveryMoves delivers batches to functions whose time ends after a few calls:
// one that reads the rebuilds, and as many as the parts of one record need. Each
// delivery must move the checkpoint, and each record must be applied once. Calls go one
// by one, so that a number of calls stands for a time-out. Fails if the keeper works view
// by view, if it does all changes of an item before the next item, if an item's oldest change goes
// before the batch's first record, or if a refused request is halved.
func TestEveryDeliveryMoves(t *testing.T) {
	const read = 1
	for _, test := range []struct {
		name  string
		batch func(*world) [][]byte
		calls int // of one delivery
	}{
		{"many players on three boards", func(*world) [][]byte {
			return records(proof.Size(40, 12), func(n int) []byte { return insert(fmt.Sprint("player-", n), n, "1") })
		}, read + 3},
		{"one player, newest first", func(*world) [][]byte {
			batch := records(proof.Size(400, 150), func(n int) []byte { return insert("reed", n, "1") })
			slices.Reverse(batch)
			return batch
		}, read + 3*4}, // a write is refused, ids are spilled, looked up, and added
		{"a refused score before and after a player's others", func(w *world) [][]byte {
			w.deliver(w.function(nil), 1, insert("reed", 80, "1"))
			batch := records(60, func(n int) []byte { return insert("reed", n, "1") })
			return slices.Concat([][]byte{insert("reed", 70, "1e125")}, batch, [][]byte{insert("reed", 71, "2e125")})
		}, read + 3*4}, // all are refused, the first alone has no newer ReachedAt, and is refused, and the item is looked at
		{"pets", func(*world) [][]byte {
			return records(proof.Size(40, 12), func(n int) []byte {
				return tracked(n, nil, activity(n, "rex-"+strconv.Itoa(n), "2026-01-02T03:04:05Z", "walk"))
			})
		}, read + 2},
		{"activities that move to other pets and days", func(*world) [][]byte {
			return records(proof.Size(40, 12), func(n int) []byte {
				return tracked(n, activity(n, "rex-"+strconv.Itoa(n), "2026-01-02T03:04:05Z", "walk"), activity(n, "tom-"+strconv.Itoa(n), "2026-01-03T03:04:05Z", "walk"))
			})
		}, read + 4},
		{"players who move between buckets of three levels", func(*world) [][]byte {
			return records(proof.Size(40, 12), func(n int) []byte { return moved(n, 1000+11*n, 2000+17*n) })
		}, read + 6},
		{"anything", anything, read + 6*4},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			batch := test.batch(w)
			for delivery := 1; len(batch) > 0; delivery++ {
				done := w.invokeWithin(test.calls, batch)
				if done == 0 {
					t.Fatalf("delivery %d of %d records with time for %d calls: the checkpoint doesn't move", delivery, len(batch), test.calls)
				}
				batch = batch[done:]
			}
		})
	}
}

func records(n int, record func(int) []byte) (list [][]byte) {
	for i := range n {
		list = append(list, record(i))
	}
	return list
}

// moved is the change of a player's total.
func moved(n, before, after int) []byte {
	key := consumertest.Item{gametest.AttrUser: consumertest.S(fmt.Sprint("player-", n))}
	total := func(score int) consumertest.Item {
		return consumertest.Item{gametest.AttrUser: key[gametest.AttrUser], gametest.AttrScore: consumertest.N(strconv.Itoa(score))}
	}
	return consumertest.Change{Table: gametest.BoardTable, Time: at(n), Keys: key, Old: total(before), New: total(after)}.Record()
}

// anything is a shuffled batch of scores, totals and activities.
func anything(w *world) [][]byte {
	seed := rand.Uint64()
	w.t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	batch, _ := history(random, 1+random.IntN(60), 80)
	for n := range 40 {
		batch = append(batch, moved(n, random.IntN(5000), random.IntN(5000)),
			tracked(n, nil, activity(n, "rex-"+strconv.Itoa(random.IntN(30)), "2026-01-02T03:04:05Z", "walk")))
	}
	random.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
	return batch
}

// invokeWithin delivers one batch to a new instance, whose time ends after so many
// calls, and returns how many records are before the first failure.
func (w *world) invokeWithin(calls int, batch [][]byte) int {
	w.t.Helper()
	ctx, end := context.WithCancel(w.t.Context())
	defer end()
	keeper := w.consumer(func(c wire.Call) wire.Fault {
		if c.N > calls {
			end()
			return wire.LostRequest
		}
		return wire.None
	})
	keeper.Concurrency = 1
	return w.invokeIn(ctx, w.handler(keeper), batch)
}
