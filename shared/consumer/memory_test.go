package consumer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"sluice/shared/change"
	"sluice/shared/consumertest"
)

// forgetful counts dead letters and keeps none.
type forgetful struct{ kept int }

func (f *forgetful) Keep(_ context.Context, letters []DeadLetter) []error {
	f.kept += len(letters)
	return make([]error, len(letters))
}

// Fails if what a function remembers of a batch keeps all of the batch in memory, or grows with the
// batches: 10,000 of 8 KB, each with a record that is rejected, one that has to come again, and an
// error that names the destination after a player. After so many, all that is bounded is full.
func TestMemoryIsBounded(t *testing.T) {
	const batches, size = 10_000, 3
	c := batchFunc(func(_ context.Context, batch []*change.Change) []error {
		errs := make([]error, len(batch))
		for i, c := range batch {
			switch name, _ := c.Keys.String("Id"); {
			case strings.HasPrefix(name, "bad"):
				errs[i] = Reject(errors.New(name))
			case strings.HasPrefix(name, "slow"):
				errs[i] = At(name, errors.New(name)) // against the rule: so many destinations
			}
		}
		return errs
	})
	letters := &forgetful{}
	h := NewHandler("test", c, letters, Settings{}, slog.New(slog.DiscardHandler), io.Discard)
	now := consumertest.Arrival
	h.Now = func() time.Time { now = now.Add(time.Second); return now }
	padding := strings.Repeat("x", 2_000)
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	for n := range batches {
		records := make([][]byte, size)
		for i := range records {
			key := consumertest.Item{"Id": consumertest.S(fmt.Sprint("player ", n*size+i))}
			switch i {
			case 0:
				key["Id"] = consumertest.S(fmt.Sprint("slow ", n))
			case 1:
				key["Id"] = consumertest.S(fmt.Sprint("bad ", n))
			}
			records[i] = consumertest.Change{
				Table: "T", Time: consumertest.Arrival, Keys: key, New: consumertest.Item{"Text": consumertest.S(padding)},
			}.Record()
		}
		if _, err := h.Invoke(t.Context(), consumertest.Payload(n*size, records...)); err != nil {
			t.Fatal(err)
		}
	}
	// As many failing records and dead letters as a function remembers, 10,000 finished records, and 1,000 destinations.
	const limit = 10 << 20
	if grown := heap() - before; grown > limit {
		t.Errorf("after %d batches the function holds %d KB more, want %d at most", batches, grown>>10, limit>>10)
	}
	if letters.kept != batches {
		t.Errorf("%d dead letters, want %d", letters.kept, batches)
	}
	for what, n := range map[string]int{
		"failing": len(h.memory.failing) - maxFailing, "kept": len(h.memory.kept.set) - maxKept,
		"finished": len(h.memory.finished.set) - maxFinished, "destinations": len(h.memory.destinations) - maxDestinations,
	} {
		if n > 0 {
			t.Errorf("%s: %d more than the bound", what, n)
		}
	}
	runtime.KeepAlive(h)
}

// Fails if a full set forgets what was added last, or grows.
func TestPositionsForgetTheOldest(t *testing.T) {
	s := positions{limit: 3}
	at := func(n int) position { return position{sequence: fmt.Sprint(n)} }
	for n := range 10 {
		s.add(at(n))
		s.add(at(n))
	}
	for n := range 10 {
		if got, want := s.has(at(n)), n >= 7; got != want {
			t.Errorf("%d is there: %v, want %v", n, got, want)
		}
	}
	if len(s.set) != 3 || len(s.order) != 3 {
		t.Errorf("%d and %d positions, want 3", len(s.set), len(s.order))
	}
}

// Fails if changes whose time is only in milliseconds aren't counted, or others are.
func TestAmbiguousTimes(t *testing.T) {
	f := newFunction(t, script(nil))
	key := consumertest.Item{"Id": consumertest.S("a")}
	f.invoke(1, insert("a"), consumertest.Change{Table: "T", Time: consumertest.Arrival, Milliseconds: true, Keys: key, New: key}.Record())
	if line := f.lastMetrics(); !strings.Contains(line, `"AmbiguousTimes":1`) {
		t.Errorf("the metrics don't count one of two: %s", line)
	}
	f.invoke(3, insert("b"))
	if line := f.lastMetrics(); strings.Contains(line, "AmbiguousTimes") {
		t.Errorf("the metrics name what is not there: %s", line)
	}
}
