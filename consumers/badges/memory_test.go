package badges

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"unsafe"
	"weak"

	"sluice/consumers/badges/rule"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/wire"
)

// TestNoBatchIsKept applies a batch with a new player, a rejected play, a player whose badge
// can't be stored and pets of 3 KB. Once the next batch is decoded, nothing holds the text of
// the first one any more.
func TestNoBatchIsKept(t *testing.T) {
	w := newWorld(t)
	b := w.function(func(c wire.Call) wire.Fault {
		if c.Operation == "PutItem" && strings.Contains(string(c.Body), "unlucky") {
			return wire.ServerError
		}
		return wire.None
	})
	var decoder change.Decoder
	deliver := func(n int) weak.Pointer[byte] {
		t.Helper()
		records := [][]byte{
			w.play(fmt.Sprint("new-", n), "2025-12-01").Record(), w.play("bad", "soon").Record(), w.play(fmt.Sprint("unlucky-", n), "2025-12-01").Record(),
			w.pet("Pets", fmt.Sprint("owner-", n), "PET#1", strings.Repeat("x", 3<<10)).Record(),
		}
		decoded, err := decoder.Decode(consumertest.Payload(1, records...))
		if err != nil {
			t.Fatal(err)
		}
		var batch []*change.Change
		for _, r := range decoded {
			batch = append(batch, r.Change)
		}
		name, err := batch[0].New.String("Player")
		if err != nil {
			t.Fatal(err)
		}
		buffer := weak.Make(unsafe.StringData(name))
		for i, err := range b.ApplyBatch(t.Context(), batch) {
			want := []consumer.Outcome{consumer.Applied, consumer.Rejected, consumer.Retry, consumer.Applied}[i]
			if got := consumer.OutcomeOf(err); got != want {
				t.Errorf("change %d: %v, want %v", i, err, want)
			}
		}
		return buffer
	}
	first := deliver(1)
	deliver(2)
	consumertest.WantFreed(t, first, "the text of the batch before")
	runtime.KeepAlive(b)
}

// TestMemoryIsBounded remembers 2,000 batches, each with a new player's name from a buffer of
// 300 KB, and what a player of 10^6 games has; then players with names as long as may be.
func TestMemoryIsBounded(t *testing.T) {
	book, err := DefaultSettings().Rules()
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
	note := func(player string, awards ...*Achievement) {
		if !m.looksAt(player, "2026-01-01") || m.looksAt(player, "2026-01-01") {
			t.Fatalf("%.40s: looked at twice, or never", player)
		}
		m.remember(player, awards...)
	}
	grown("2,000 batches", func() {
		for n := range 2000 {
			buffer := fmt.Sprintf("player-%06d", n) + strings.Repeat("x", 300<<10)
			note(buffer[:len("player-000000")])
		}
	})
	grown("10^6 games", func() {
		note("maker")
		a := Achievement{}
		for n := range 1_000_000 {
			a.Award.Badge, a.Award.Of = "new-game", fmt.Sprint("made-up-", n)
			m.remember("maker", &a)
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
	const values = 150
	var plays []consumertest.Change
	for n := range values {
		plays = append(plays, w.with("maker", "Game", consumertest.S(fmt.Sprintf("game-%04d", n))))
	}
	w.line.refuse = func([]entry) string { return "Throttled" }
	batch := w.parse(plays...)
	b.ApplyBatch(t.Context(), batch)
	w.line.refuse = nil
	p := b.newPlayer("maker", nil)
	if err := p.read(t.Context()); err != nil || len(p.stored) > maxOthersUntold+10 || len(p.untold) < maxOthersUntold {
		t.Errorf("kept %d awards, %d of them untold, %v", len(p.stored), len(p.untold), err)
	}
	for i, err := range w.function(nil).ApplyBatch(t.Context(), batch) {
		if consumer.OutcomeOf(err) != consumer.Duplicate {
			t.Fatalf("play %d: %v", i, err)
		}
	}
	if told := w.receivedIDs(t); len(told) < values {
		t.Errorf("%d badges told, want %d", len(told), values)
	}
	w.apply(b, consumer.Applied, w.pet("Pets", "maker", "PET#1", "Rex"))
	p = b.newPlayer("maker", nil)
	if err := p.read(t.Context()); err != nil || len(p.stored) > 10 || !p.has(rule.Award{Badge: "everything"}) {
		t.Errorf("kept %d awards, %v", len(p.stored), err)
	}
}
