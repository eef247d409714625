package search

import (
	"testing"
	"time"
)

// Instances that begin within a second purge at times that are spread over an hour. Fails if all purge at one time, or if an
// instance that begins at the same time, as in a replayed schedule, purges at another.
func TestFirstPurgesAreSpread(t *testing.T) {
	begun := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	var quarters [4]int
	for i := range 200 {
		at := begun.Add(time.Duration(i) * time.Millisecond)
		after := firstPurge(at).Sub(at) - PurgeAfter
		if after < 0 || after >= time.Hour {
			t.Fatalf("an instance of %v purges %v after the first hour, want less than an hour", at, after)
		}
		quarters[after/(15*time.Minute)]++
		if !firstPurge(at).Equal(firstPurge(at)) {
			t.Errorf("two instances of %v purge at different times", at)
		}
	}
	for n, purges := range quarters {
		if purges < 20 {
			t.Errorf("%d of 200 purges are in quarter %d of the hour, want about 50", purges, n+1)
		}
	}
}
