package bridge

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// shuffle passes n records in chunks, then lets time run until nothing is held back.
func shuffle(seed uint64, m Misbehaviour, n int) (out []string, repeated, reordered int) {
	var counted counts
	s := shuffler{Misbehaviour: m, rng: rand.New(rand.NewPCG(seed, 0)), count: counted.count}
	now := time.Unix(0, 0)
	take := func(in []outgoing) {
		for _, r := range s.pass(now, in) {
			out = append(out, string(r.data))
		}
	}
	for i := range n {
		take([]outgoing{{key: fmt.Sprint(i % 3), data: fmt.Append(nil, i)}})
	}
	now = now.Add(maxRepeatAfter)
	take(nil)
	return out, int(counted.table.Repeated), int(counted.table.Reordered)
}

func TestShufflerLeavesWellAlone(t *testing.T) {
	out, repeated, reordered := shuffle(1, Misbehaviour{}, 100)
	for i, got := range out {
		if got != fmt.Sprint(i) {
			t.Fatalf("record %s in place %d", got, i)
		}
	}
	if len(out) != 100 || repeated != 0 || reordered != 0 {
		t.Errorf("%d records of 100, %d repeated, %d reordered", len(out), repeated, reordered)
	}
}

func TestShufflerCountsWhatItDoes(t *testing.T) {
	const n = 2_000
	for seed := range uint64(5) {
		for _, m := range []Misbehaviour{{Repeat: 0.1}, {Reorder: 0.1}, {Repeat: 0.3, Reorder: 0.3}, {Repeat: 1, Reorder: 1}} {
			out, repeated, reordered := shuffle(seed, m, n)
			times := map[string]int{}
			for _, r := range out {
				times[r]++
			}
			twice := 0
			for i := range n {
				switch times[fmt.Sprint(i)] {
				case 1:
				case 2:
					twice++
				default:
					t.Errorf("seed %d, %+v: record %d written %d times", seed, m, i, times[fmt.Sprint(i)])
				}
			}
			if len(out) != n+repeated || twice != repeated {
				t.Errorf("seed %d, %+v: %d records from %d, %d of them twice, but %d counted as repeated", seed, m, len(out), n, twice, repeated)
			}
			for name, c := range map[string]struct {
				got  int
				want float64
			}{"repeated": {repeated, m.Repeat * n}, "reordered": {reordered, m.Reorder * n}} {
				// Five standard deviations at the most, so that a seed that fails means a wrong share.
				if diff := float64(c.got) - c.want; diff*diff > 25*n/4 || (c.want == 0) != (c.got == 0) {
					t.Errorf("seed %d, %+v: %d of %d %s", seed, m, c.got, n, name)
				}
			}
		}
	}
}

func TestShufflerReordersWithinAnItem(t *testing.T) {
	out, _, _ := shuffle(7, Misbehaviour{Reorder: 0.2}, 500)
	last := map[int]int{}
	overtaken, far := 0, 0
	for place, r := range out {
		var i int
		if _, err := fmt.Sscan(r, &i); err != nil {
			t.Fatal(err)
		}
		if i < last[i%3] {
			overtaken++
		}
		last[i%3] = max(last[i%3], i)
		far = max(far, place-i)
	}
	if overtaken < 20 {
		t.Errorf("only %d records came after a later one of their item", overtaken)
	}
	if far > maxDistance {
		t.Errorf("a record is %d places late, want %d at the most", far, maxDistance)
	}
}

func TestShufflerIsDecidedByItsSeed(t *testing.T) {
	m := Misbehaviour{Repeat: 0.2, Reorder: 0.2}
	first, _, _ := shuffle(3, m, 300)
	again, _, _ := shuffle(3, m, 300)
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("the same seed gives another order:\n%s", diff)
	}
	if other, _, _ := shuffle(4, m, 300); cmp.Equal(first, other) {
		t.Error("another seed gives the same order")
	}
}

// TestSwitcherKeepsOrder shows that times cut to milliseconds may meet but never turn round.
func TestSwitcherKeepsOrder(t *testing.T) {
	now := int64(1_000_000)
	c := &clock{now: func() time.Time { now += 7; return time.UnixMicro(now) }}
	s := switcher{current: Microsecond, moving: true, rng: rand.New(rand.NewPCG(1, 1)), clock: c}
	seen := map[Precision]int{}
	var last int64
	for i := range 5_000 {
		p := s.next()
		seen[p]++
		at := c.next()
		if p != Microsecond {
			at -= at % 1000
		}
		if at < last {
			t.Fatalf("record %d (%s) has time %d, the one before %d", i, p, at, last)
		}
		last = at
	}
	for _, p := range []Precision{Microsecond, Millisecond, UnstatedMillisecond} {
		if seen[p] < 500 {
			t.Errorf("only %d of 5000 records with precision %q", seen[p], p)
		}
	}
}

// Of one item no two times are the same once they are cut to milliseconds; of others
// they may be.
func TestTimesOfOneItemDiffer(t *testing.T) {
	now := time.UnixMicro(1_000_000)
	c := &carrier{clock: &clock{now: func() time.Time { now = now.Add(100 * time.Microsecond); return now }}}
	seen := map[int64]string{}
	last := int64(0)
	shared := 0
	for i := range 40 {
		item := []string{"a", "b", "a", "c"}[i%4]
		at := c.time(item, Millisecond)
		if at <= last {
			t.Errorf("time %d after %d", at, last)
		}
		last = at
		if strings.Contains(seen[at/1000], item) {
			t.Errorf("two changes of %s in millisecond %d", item, at/1000)
		}
		if seen[at/1000] != "" {
			shared++
		}
		seen[at/1000] += item
	}
	if shared == 0 {
		t.Error("no two items share a millisecond, so each change costs one")
	}
}
