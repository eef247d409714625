package aggregate

import (
	"testing"
	"time"
)

// A pause begins at some 20 ms, grows to a second, and stays random at every length. Fails
// for a pause that is a second from the start, or that is exactly a second in the end.
func TestConflictPause(t *testing.T) {
	for attempt, longest := range map[int]time.Duration{
		0: 20 * time.Millisecond, 1: 40 * time.Millisecond, 2: 80 * time.Millisecond, 5: 640 * time.Millisecond,
		6: time.Second, 7: time.Second, 50: time.Second, 1 << 20: time.Second,
	} {
		for random, want := range map[float64]time.Duration{0: longest / 2, 0.5: longest * 3 / 4, 1: longest} {
			if got := conflictPause(attempt, random); got != want {
				t.Errorf("after attempt %d with random part %v: %v, want %v", attempt, random, got, want)
			}
		}
	}
}
