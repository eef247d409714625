package leaderboard

import (
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/shared/aggregate"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/gametest"
	"sluice/shared/consumertest/stored"
	"sluice/shared/consumertest/wire"
	"sluice/shared/rebuild"
)

// storedHistory is what made the fixtures: reed has 70 changes, more than an item's dedup set
// holds, and one that comes late; maggy's score changes; wesley's is removed; an activity moves.
func storedHistory() (records [][]byte) {
	for turn := range 69 {
		records = append(records, insert("reed", 100+turn, "1"))
	}
	records = append(records, insert("reed", 7, "2"),
		insert("maggy", 1, "3"), modify("maggy", 1, 10, "3", "8"),
		insert("wesley", 2, "4"), remove("wesley", 2, 10, "4", false),
	)
	records = append(records, ranked("reed", 1, "", "71"), ranked("maggy", 1, "", "8"), ranked("wesley", 1, "", "0"))
	pets, _ := movingActivity()
	return append(records, pets...)
}

// ranked is a change of a player's total, which the views of ranks count.
func ranked(user string, n int, before, after string) []byte {
	image := func(score string) consumertest.Item {
		if score == "" {
			return nil
		}
		return consumertest.Item{gametest.AttrUser: consumertest.S(user), gametest.AttrScore: consumertest.N(score)}
	}
	return consumertest.Change{
		Table: gametest.BoardTable, Time: at(n), Keys: consumertest.Item{gametest.AttrUser: consumertest.S(user)}, Old: image(before), New: image(after),
	}.Record()
}

// storedTables are the tables of which the fixtures hold all items.
func (w *world) storedTables() []string {
	return []string{gametest.ScoreTable, gametest.BoardTable, gametest.BoxTable, gametest.RankTable, gametest.PetTable, w.ledger}
}

// storedRebuilds are the rebuilds that were cut off, each after a few calls in a phase.
var storedRebuilds = map[string]aggregate.Phase{"leaderboard": aggregate.Scanning, "daily": aggregate.Switching}

// Sums, dedup sets, ledger rows and interrupted rebuilds of earlier versions. Fails if a form changes without a reader for the old
// one: then changes count twice, new ones aren't taken, or a rebuild doesn't go on.
func TestStoredForms(t *testing.T) {
	stored.Each(t, writeStored, func(t *testing.T, folder string) {
		var records [][]byte
		stored.Read(t, folder, "records.json", &records)
		t.Run("tables", func(t *testing.T) {
			w := newWorld(t)
			var tables stored.Tables
			f := w.redeliver(folder, "tables.json", &tables, records)
			tables.Unchanged(t, w.direct, "after all was delivered again")
			w.putEvent("reed", 8, "20")
			w.deliver(f, 50, insert("reed", 8, "20")) // late
			w.wantGoesOn(f, 1000, 100)
		})
		t.Run("rebuilds", func(t *testing.T) {
			w := newWorld(t)
			f := w.redeliver(folder, "rebuilds.json", &stored.Tables{}, records)
			for view := range storedRebuilds {
				resumed := false
				tool := w.tool(view, nil)
				tool.Progress = func(p rebuild.Progress) { resumed = resumed || p.Resumed }
				if _, err := tool.Run(t.Context()); err != nil || !resumed {
					t.Errorf("rebuild of %s: %v; it goes on: %v", view, err, resumed)
				}
			}
			w.deliver(f, 50, records...)
			w.wantGoesOn(f, 10*60e6, 80) // once the windows are over
		})
	})
}

// redeliver fills the tables from a file and gives a function all that they have taken.
func (w *world) redeliver(folder, name string, tables *stored.Tables, records [][]byte) *consumer.Handler {
	w.t.Helper()
	stored.Read(w.t, folder, name, tables)
	tables.Fill(w.t, w.direct)
	f := w.function(nil)
	w.deliver(f, 50, records...)
	w.wantTotals(map[string]int{"reed": 71, "maggy": 8, "wesley": 0})
	return f
}

// wantGoesOn changes some scores so many µs later, and compares the boards with the scores. reed is reed's total then.
func (w *world) wantGoesOn(f *consumer.Handler, later, reed int) {
	w.t.Helper()
	w.putEvent("reed", 101, "11")
	w.putEvent("maggy", 1, "9")
	key, _ := event("reed", 100, "1")
	if _, err := w.direct.DeleteItem(w.t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String(gametest.ScoreTable), Key: key.AttributeValues()}); err != nil {
		w.t.Fatal(err)
	}
	for range 2 {
		w.deliver(f, 50, modify("reed", 101, later, "1", "11"), modify("maggy", 1, later, "8", "9"), remove("reed", 100, later, "1", false),
			ranked("reed", later, "71", strconv.Itoa(reed)), ranked("maggy", later, "8", "9"))
	}
	w.wantTotals(map[string]int{"reed": reed, "maggy": 9, "wesley": 0})
	w.deliver(f, 50, tracked(50, activity(2, "max", "2024-01-15T10:00:00Z", "swim"), nil))
	_, want := movingActivity()
	want["PET#max SUMMARY#2024-01-15"], want["LEADERBOARD PET#max"] = "0 nap", "0"
	w.wantPets(want)
	w.wantCompared(consumertest.Arrival)
	if len(w.letters) > 0 {
		w.t.Errorf("%d dead letters, the first: %s", len(w.letters), w.letters[0].Error)
	}
}

// writeStored writes the fixtures.
func writeStored(t *testing.T, folder string) {
	w, records := newWorld(t), storedHistory()
	for turn := range 69 {
		w.putEvent("reed", 100+turn, "1")
	}
	w.putEvent("reed", 7, "2")
	w.putEvent("maggy", 1, "8")
	w.deliver(w.function(nil), 50, records...)
	stored.Write(t, folder, "records.json", records)
	stored.Write(t, folder, "tables.json", stored.Scan(t, w.direct, w.storedTables()...))
	for view, phase := range storedRebuilds {
		w.cutRebuild(view, phase)
	}
	stored.Write(t, folder, "rebuilds.json", stored.Scan(t, w.direct, w.storedTables()...))
}

func (w *world) putEvent(user string, turn int, score string) {
	w.t.Helper()
	_, image := event(user, turn, score)
	w.put(gametest.ScoreTable, image.AttributeValues())
}

// cutRebuild begins a rebuild that dies at its fourth call in a phase.
func (w *world) cutRebuild(view string, phase aggregate.Phase) {
	w.t.Helper()
	in, calls := false, 0
	tool := w.tool(view, func(wire.Call) wire.Fault {
		if in {
			calls++
		}
		if calls == 4 {
			return wire.Crash
		}
		return wire.None
	})
	tool.Segments = 1 // one call at a time
	tool.Progress = func(p rebuild.Progress) { in = p.Phase == phase }
	if _, err := tool.Run(w.t.Context()); err == nil {
		w.t.Fatalf("the rebuild of %s was done before it died", view)
	}
}
