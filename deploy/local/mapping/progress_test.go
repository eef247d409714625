package mapping

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// checkpointer is progress, or a careless version of it.
type checkpointer interface {
	add(sequence string, arrival time.Time) int64
	finish(places ...int64)
	at() string
}

// Two careless versions: the checkpoint is the last finished record, or the highest one.
type (
	lastFinished struct {
		sequences []string
		at_       string
	}
	highestFinished struct {
		sequences []string
		highest   int64
	}
)

func (c *lastFinished) add(s string, _ time.Time) int64 {
	c.sequences = append(c.sequences, s)
	return int64(len(c.sequences) - 1)
}
func (c *lastFinished) finish(places ...int64) { c.at_ = c.sequences[places[len(places)-1]] }
func (c *lastFinished) at() string             { return c.at_ }

func (c *highestFinished) add(s string, _ time.Time) int64 {
	if c.sequences == nil {
		c.highest = -1
	}
	c.sequences = append(c.sequences, s)
	return int64(len(c.sequences) - 1)
}
func (c *highestFinished) finish(places ...int64) {
	for _, p := range places {
		c.highest = max(c.highest, p)
	}
}
func (c *highestFinished) at() string {
	if c.highest < 0 {
		return ""
	}
	return c.sequences[c.highest]
}

// checkCheckpoint adds and finishes records in random order. It returns an error when the checkpoint is not exactly the
// last record before the first unfinished one.
func checkCheckpoint(c checkpointer, rng *rand.Rand) error {
	const n = 60
	var open []int64
	finished := map[int64]bool{}
	for added := int64(0); added < n || len(open) > 0; {
		if added < n && (len(open) == 0 || rng.IntN(2) == 0) {
			place := c.add(fmt.Sprint("s", added), time.Time{})
			if place != added {
				return fmt.Errorf("record %d has place %d", added, place)
			}
			open = append(open, place)
			added++
		} else {
			var places []int64
			for range 1 + rng.IntN(min(3, len(open))) {
				i := rng.IntN(len(open))
				places = append(places, open[i])
				finished[open[i]] = true
				open = append(open[:i], open[i+1:]...)
			}
			c.finish(places...)
		}
		want := ""
		for i := int64(0); finished[i]; i++ {
			want = fmt.Sprint("s", i)
		}
		if got := c.at(); got != want {
			return fmt.Errorf("with %d added and %v unfinished, the checkpoint is %q, want %q", added, open, got, want)
		}
	}
	return nil
}

func TestCheckpointNeverPassesAnUnfinishedRecord(t *testing.T) {
	for seed := range uint64(200) {
		if err := checkCheckpoint(&progress{}, rand.New(rand.NewPCG(seed, 0))); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
}

func TestCarelessCheckpointsAreCaught(t *testing.T) {
	for _, make := range []func() checkpointer{
		func() checkpointer { return &lastFinished{} },
		func() checkpointer { return &highestFinished{} },
	} {
		caught := false
		for seed := uint64(0); seed < 200 && !caught; seed++ {
			caught = checkCheckpoint(make(), rand.New(rand.NewPCG(seed, 0))) != nil
		}
		if !caught {
			t.Errorf("%T passes for a good one", make())
		}
	}
}

func TestRewind(t *testing.T) {
	var p progress
	for i := range 5 {
		p.add(fmt.Sprint("s", i), time.Time{})
	}
	p.finish(0, 1, 3)
	if finished, unfinished := p.rewind(); finished != 1 || unfinished != 2 {
		t.Errorf("rewind = %d finished, %d unfinished; want 1 (s3) and 2 (s2, s4)", finished, unfinished)
	}
	if p.at() != "s1" {
		t.Errorf("checkpoint %q, want s1", p.at())
	}
	// The same records again.
	for i := 2; i < 5; i++ {
		p.finish(p.add(fmt.Sprint("s", i), time.Time{}))
	}
	if p.at() != "s4" {
		t.Errorf("checkpoint %q, want s4", p.at())
	}
}

// Fails if a record that waits behind finished ones, or before them, isn't the
// oldest, or if one that is done still is.
func TestOldest(t *testing.T) {
	var p progress
	arrived := time.UnixMilli(1000)
	for i := range 3 {
		p.add(fmt.Sprint("s", i), arrived.Add(time.Duration(i)*time.Second))
	}
	for _, step := range []struct {
		finish int64
		want   time.Time
		waits  bool
	}{{1, arrived, true}, {0, arrived.Add(2 * time.Second), true}, {2, time.Time{}, false}} {
		p.finish(step.finish)
		if got, waits := p.oldest(); !got.Equal(step.want) || waits != step.waits {
			t.Errorf("after record %d is done, the oldest is of %v (%v), want %v (%v)", step.finish, got, waits, step.want, step.waits)
		}
	}
}
