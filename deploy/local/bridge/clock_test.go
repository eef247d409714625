package bridge

import (
	"testing"
	"time"
)

func TestClockNeverRepeatsOrRunsAhead(t *testing.T) {
	c := newClock()
	var last int64
	for range 20_000 {
		got := c.next()
		if got <= last {
			t.Fatalf("%d after %d", got, last)
		}
		if now := c.now().UnixMicro(); got > now {
			t.Fatalf("%d is in the future: it is %d", got, now)
		}
		last = got
	}
}

func TestClockWaitsForAFreeMicrosecond(t *testing.T) {
	readings := []int64{10, 10, 9, 10, 11, 14}
	c := clock{now: func() time.Time {
		now := time.UnixMicro(readings[0])
		readings = readings[1:]
		return now
	}}
	if first, second, third := c.next(), c.next(), c.next(); first != 10 || second != 11 || third != 14 {
		t.Errorf("got %d, %d, %d, want 10, 11, 14", first, second, third)
	}
}

func TestClockSkipsToTheNextMillisecond(t *testing.T) {
	for _, last := range []int64{5_000, 5_001, 5_999} {
		now := last
		c := clock{now: func() time.Time { now++; return time.UnixMicro(now - 1) }}
		c.next()
		c.skipMillisecond()
		if got := c.next(); got != 6_000 {
			t.Errorf("after %d comes %d, want 6000", last, got)
		}
	}
}
