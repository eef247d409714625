// Package memorytest tests that a consumer's memory does not grow with the batches that it applies.
package memorytest

import (
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"
	"weak"

	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
)

// Record is one record of a batch, and the outcome that its change must have.
type Record struct {
	consumertest.Change
	Want consumer.Outcome
}

const (
	// warmUp is how many batches open connections and fill pools before the heap is measured, and measured how many follow.
	warmUp, measured = 10, 80
	// most is how much the heap may grow: some connections more.
	most = 96 << 10
	// freedWithin is how long what a call left behind may hold memory: pools, and goroutines that still read an answer.
	freedWithin = 30 * time.Second
)

// Name returns the name of an item of the nth batch, of size bytes. No other batch has this name. If
// the names of each kind have 1,900 bytes in all, a consumer that remembers a kind is found out.
func Name(kind string, n, size int) string {
	name := fmt.Sprintf("%s-%d-", kind, n)
	return name + strings.Repeat("x", size-len(name))
}

// WantFlat gives a consumer 90 batches and fails the test if the heap grows with them, or if
// something holds the text of a batch once the next batch is applied. batch returns the records of
// the nth batch: items that no earlier batch had, a reject and a retry, each with a Name as its key.
func WantFlat(t *testing.T, c consumer.Consumer, batch func(n int) []Record) {
	t.Helper()
	var decoder change.Decoder
	for n := range warmUp {
		apply(t, c, &decoder, batch(n))
	}
	before := heap()
	var text weak.Pointer[byte]
	for n := range measured {
		previous := text
		text = apply(t, c, &decoder, batch(warmUp+n))
		if n == measured-1 {
			wantFreed(t, previous)
		}
	}
	if after := heap(); after > before+most {
		t.Errorf("the heap grew by %d KB with %d batches, want %d KB at most", (after-before)>>10, measured, most>>10)
	}
	runtime.KeepAlive(c)
	runtime.KeepAlive(&decoder) // it holds the last batch, as before
}

// apply applies a batch, checks the outcomes, and returns where the batch's text is.
func apply(t *testing.T, c consumer.Consumer, decoder *change.Decoder, batch []Record) weak.Pointer[byte] {
	t.Helper()
	records := make([][]byte, len(batch))
	for i, r := range batch {
		records[i] = r.Record()
	}
	decoded, err := decoder.Decode(consumertest.Payload(1, records...))
	if err != nil {
		t.Fatal(err)
	}
	changes := make([]*change.Change, len(decoded))
	for i, d := range decoded {
		if d.Err != nil {
			t.Fatal(d.Err)
		}
		changes[i] = d.Change
	}
	var text weak.Pointer[byte]
	for _, key := range changes[0].Keys.All() {
		text = weak.Make(unsafe.StringData(key.Text()))
	}
	if text.Value() == nil {
		t.Fatal("the first change has no text as its key")
	}
	for i, err := range c.ApplyBatch(t.Context(), changes) {
		if got := consumer.OutcomeOf(err); got != batch[i].Want {
			t.Fatalf("change %d: %v (%.300v), want %v", i, got, err, batch[i].Want)
		}
	}
	return text
}

// wantFreed fails the test if something still holds the text at p after freedWithin of collecting garbage.
func wantFreed(t *testing.T, p weak.Pointer[byte]) {
	t.Helper()
	for deadline := time.Now().Add(freedWithin); p.Value() != nil; runtime.GC() {
		if time.Now().After(deadline) {
			t.Errorf("after %v something still holds the text of the batch before the last", freedWithin)
			return
		}
	}
}

// heap returns how many bytes are in use once no more garbage is found.
func heap() uint64 {
	var m runtime.MemStats
	for least := uint64(math.MaxUint64); ; least = m.HeapAlloc {
		runtime.GC()
		if runtime.ReadMemStats(&m); m.HeapAlloc >= least {
			return least
		}
	}
}
