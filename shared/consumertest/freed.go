package consumertest

import (
	"runtime"
	"testing"
	"time"
	"weak"
)

// freedWithin is how long what a call left behind may hold memory: pools, and goroutines that still read an answer.
const freedWithin = 30 * time.Second

// WantFreed fails the test if something still holds the memory at p after freedWithin of collecting garbage.
func WantFreed(t testing.TB, p weak.Pointer[byte], what string) {
	t.Helper()
	for deadline := time.Now().Add(freedWithin); p.Value() != nil; runtime.GC() {
		if time.Now().After(deadline) {
			t.Errorf("after %v something still holds %s", freedWithin, what)
			return
		}
	}
}
