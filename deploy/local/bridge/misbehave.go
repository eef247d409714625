package bridge

import (
	"math/rand/v2"
	"slices"
	"time"
)

// The farthest that a record is repeated or held back.
const (
	maxDistance    = 50
	maxRepeatAfter = 2 * time.Second
	maxHold        = time.Second
)

type outgoing struct {
	key  string
	data []byte
	// loose says that its place among the records of its item does not matter, because it is out of place already.
	loose bool
}

type shuffler struct {
	Misbehaviour
	rng  *rand.Rand
	held []heldRecord

	count func(func(*TableStats))
}

// heldRecord is let go once so many more records have come, or the time has.
type heldRecord struct {
	outgoing
	distance int
	deadline time.Time
}

// pass takes the records that came in, and returns those to write now, in order, with those that were held long enough.
func (s *shuffler) pass(now time.Time, in []outgoing) []outgoing {
	if s.Repeat == 0 && s.Reorder == 0 {
		return in
	}
	out := make([]outgoing, 0, len(in))
	for _, r := range in {
		repeat, reorder := s.rng.Float64() < s.Repeat, s.rng.Float64() < s.Reorder
		if reorder {
			s.count(func(t *TableStats) { t.Reordered++ })
			s.hold(r, now, 1+s.rng.IntN(maxDistance), maxHold)
		} else {
			out = append(out, r)
		}
		if repeat {
			s.count(func(t *TableStats) { t.Repeated++; t.Pending++ })
			s.hold(r, now, s.rng.IntN(maxDistance+1), maxRepeatAfter)
		}
		out = s.release(out, now)
		for i := range s.held {
			s.held[i].distance--
		}
	}
	return s.release(out, now)
}

func (s *shuffler) hold(r outgoing, now time.Time, distance int, longest time.Duration) {
	r.loose = true
	s.held = append(s.held, heldRecord{r, distance, now.Add(time.Duration(s.rng.Int64N(int64(longest))))})
}

func (s *shuffler) release(out []outgoing, now time.Time) []outgoing {
	s.held = slices.DeleteFunc(s.held, func(h heldRecord) bool {
		if h.distance > 0 && now.Before(h.deadline) {
			return false
		}
		out = append(out, h.outgoing)
		return true
	})
	return out
}

type switcher struct {
	current Precision
	moving  bool
	left    int // records until the next switch
	rng     *rand.Rand
	clock   *clock
}

// next returns the precision of the next record, whose time must be asked of the clock only afterwards.
func (s *switcher) next() Precision {
	if !s.moving {
		return s.current
	}
	if s.left == 0 {
		s.left = 10 + s.rng.IntN(50)
		before := s.current
		others := slices.DeleteFunc([]Precision{Microsecond, Millisecond, UnstatedMillisecond}, func(p Precision) bool { return p == before })
		s.current = others[s.rng.IntN(len(others))]
		if before == Microsecond {
			s.clock.skipMillisecond()
		}
	}
	s.left--
	return s.current
}
