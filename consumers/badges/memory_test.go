package badges

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"sluice/consumers/badges/internal/awards"
	"sluice/consumers/badges/internal/topictest"
	"sluice/consumers/badges/rule"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/gametest"
	"sluice/shared/consumertest/memorytest"
	"sluice/shared/consumertest/proof"
	"sluice/shared/consumertest/wire"
)

// TestMemoryIsFlat applies batches with a new player, a rejected play, a player whose badge can't be
// stored and a pet of 3 KB. It fails if badges holds the text of a batch; TestMemoryIsBounded has the
// names of players, of which badges remembers some.
func TestMemoryIsFlat(t *testing.T) {
	w := newWorld(t)
	b := w.function(func(c wire.Call) wire.Fault {
		if c.Operation == "PutItem" && bytes.Contains(c.Body, []byte("unlucky")) {
			return wire.ServerError
		}
		return wire.None
	})
	memorytest.WantFlat(t, b, func(n int) []memorytest.Record {
		w.topic.Line.Forget() // what the test has seen of the topic
		player := fmt.Sprint("new-", n)
		return []memorytest.Record{
			{Change: w.pet("Pets", player, "PET#1", strings.Repeat("x", 3<<10)), Want: consumer.Applied},
			{Change: w.play(player, "2025-12-01"), Want: consumer.Applied},
			{Change: w.play("bad", "soon"), Want: consumer.Rejected},
			{Change: w.play(fmt.Sprint("unlucky-", n), "2025-12-01"), Want: consumer.Retry},
		}
	})
}

// TestMemoryIsBounded remembers 2,000 batches, each with a new player's name from a buffer of
// 300 KB, and what a player of 10^6 games has; then players with names as long as may be.
func TestMemoryIsBounded(t *testing.T) {
	book, err := DefaultSettings().Rules(gametest.Declarations())
	if err != nil {
		t.Fatal(err)
	}
	m := newMemory(book)
	grown := func(what string, do func()) {
		t.Helper()
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		do()
		runtime.GC()
		runtime.ReadMemStats(&after)
		const most = 4 << 20
		if n := int64(after.HeapAlloc) - int64(before.HeapAlloc); n > most {
			t.Errorf("%s: the heap has grown by %d KB, want at most %d", what, n>>10, most>>10)
		}
		runtime.KeepAlive(m)
	}
	note := func(player string) {
		if !m.looksAt(player, book.Plays[0], "2026-01-01") || m.looksAt(player, book.Plays[0], "2026-01-01") {
			t.Fatalf("%.40s: looked at twice, or never", player)
		}
	}
	grown("batches", func() {
		for n := range proof.Size(2000, 400) {
			buffer := fmt.Sprintf("player-%06d", n) + strings.Repeat("x", 300<<10)
			note(buffer[:len("player-000000")])
		}
	})
	grown("games", func() {
		note("maker")
		a := awards.Achievement{Player: "maker"}
		for n := range proof.Size(1_000_000, 200_000) {
			a.Award.Badge, a.Award.Of = "new-game", fmt.Sprint("made-up-", n)
			m.remember(&a)
		}
	})
	grown("long names", func() {
		for n := range 3000 {
			note(fmt.Sprint(n, strings.Repeat("y", 2000)))
		}
	})
}

// TestManyValues has a player with more awards for values than a batch may keep: a
// repeated play still tells its own award, and what a rule of kind All needs is found.
func TestManyValues(t *testing.T) {
	w := newWorld(t)
	w.rules = limitedRules
	b := w.function(nil)
	const values, others = 150, 100 // Load keeps so many pending ones
	var plays []consumertest.Change
	for n := range values {
		plays = append(plays, w.with("maker", "Game", consumertest.S(fmt.Sprintf("game-%04d", n))))
	}
	w.topic.Line.Refuse = func([]topictest.Entry) string { return "Throttled" }
	batch := w.parse(plays...)
	b.ApplyBatch(t.Context(), batch)
	w.topic.Line.Refuse = nil
	p := b.giver.Player("maker")
	err := p.Load(t.Context())
	pending := 0
	for _, a := range p.Achievements {
		if a.Pending != "" {
			pending++
		}
	}
	if err != nil || len(p.Achievements) > others+10 || pending < others {
		t.Errorf("kept %d awards, %d of them untold, %v", len(p.Achievements), pending, err)
	}
	for i, err := range w.function(nil).ApplyBatch(t.Context(), batch) {
		if consumer.OutcomeOf(err) != consumer.Duplicate {
			t.Fatalf("play %d: %v", i, err)
		}
	}
	if told := w.topic.ReceivedIDs(t); len(told) < values {
		t.Errorf("%d badges told, want %d", len(told), values)
	}
	w.apply(b, consumer.Applied, w.pet("Pets", "maker", "PET#1", "Rex"))
	p = b.giver.Player("maker")
	if err := p.Load(t.Context()); err != nil || len(p.Achievements) > 10 || !p.Has(rule.Award{Badge: "everything"}) {
		t.Errorf("kept %d awards, %v", len(p.Achievements), err)
	}
}
