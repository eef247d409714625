package simulator

import (
	"cmp"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"pgregory.net/rapid"

	"sluice/shared/consumertest/proof"
)

var (
	flagSchedules = flag.Int("simulator.schedules", 0, "how many schedules each suite runs; 0: as the suite says")
	flagSeed      = flag.Int("simulator.seed", 0, "seed of the first schedule; with -simulator.schedules=1 that very one again")
	flagFor       = flag.Duration("simulator.for", 0, "run schedules for so long, however many that makes")
)

// workers is how many schedules run side by side. The server takes about 600
// conditional writes a second for each database.
const workers = 4

const defaultSchedules = 100

// replayEvery is how often a schedule is played twice, to see that it does the same.
const replayEvery = 25

// Failure is a schedule after which the destination isn't what it should be.
type Failure struct {
	Seed     int
	Problems []Problem
	Story    []string // what happened, in words
}

func (f *Failure) String() string {
	var b strings.Builder
	for i, line := range f.Story {
		fmt.Fprintf(&b, "%4d. %s\n", i+1, line)
	}
	for _, p := range f.Problems {
		fmt.Fprintf(&b, "   → %s\n", p)
	}
	return b.String()
}

// search runs schedules of one kind, each from a seed, and looks for one that fails.
type search[S any] struct {
	name            string
	database        func(testing.TB) aws.Config
	schedules, seed int // 0: 100, and a random one
	generator       *rapid.Generator[S]
	play            func(*testing.T, database, S) *run
	kinds           []Kind // only problems of these count; none: all do
}

// run runs the schedules and fails the test with the shortest one that fails.
func (s *search[S]) run(t *testing.T) {
	t.Helper()
	s.schedules = max(1, cmp.Or(s.schedules, defaultSchedules)/proof.Share())
	started := time.Now()
	failure, ran := s.find(t, flag.Lookup(shrinkTime).Value.String())
	elapsed := time.Since(started)
	if failure == nil {
		t.Logf("%s: %d schedules run, 0 differed, in %v (%.1f a second)", s.name, ran, elapsed.Round(time.Millisecond), float64(ran)/elapsed.Seconds())
		return
	}
	t.Fatalf("%s: %d schedules run, 1 differed; seed %d. To run it again, in the test's directory:\n\tgo test . -run '^%s$' -simulator.seed=%d -simulator.schedules=1\nThe shortest schedule that fails:\n%s",
		s.name, ran, failure.Seed, strings.ReplaceAll(t.Name(), "/", "$/^"), failure.Seed, failure)
}

// shrinkTime is rapid's flag for how long a failure may be cut down.
const shrinkTime = "rapid.shrinktime"

// findExpected is find for a failure that is expected, so it need not be the very shortest.
func (s *search[S]) findExpected(t *testing.T) (*Failure, int) {
	t.Helper()
	if testing.Short() {
		return s.find(t, "100ms")
	}
	return s.find(t, "2s")
}

// find returns a failure, after it was cut down for so long at most, or nil, and how many
// schedules it ran.
func (s *search[S]) find(t *testing.T, shrinkFor string) (*Failure, int) {
	t.Helper()
	s.schedules = cmp.Or(*flagSchedules, s.schedules, defaultSchedules)
	s.seed = cmp.Or(*flagSeed, s.seed, 1+rand.IntN(1<<30))
	var next, ran atomic.Int64
	var failed atomic.Pointer[Failure]
	var side sync.WaitGroup
	databases := newDatabases(t, s.database)
	until := time.Now().Add(*flagFor) // the server has started by now
	for range workers {
		side.Go(func() {
			db := <-databases
			defer func() { databases <- db }()
			for failed.Load() == nil && !t.Failed() {
				n := int(next.Add(1)) - 1
				if *flagFor == 0 && n >= s.schedules || *flagFor > 0 && time.Now().After(until) {
					return
				}
				seed := s.seed + n
				schedule := s.generator.Example(seed)
				r := s.play(t, db, schedule)
				ran.Add(1)
				if r.failed(s.kinds...) {
					failed.CompareAndSwap(nil, r.failure(seed))
				} else if n%replayEvery == 0 {
					s.wantSameCalls(t, seed, r, s.play(t, db, schedule))
				}
			}
		})
	}
	side.Wait()
	if t.Failed() {
		t.FailNow()
	}
	if failed.Load() == nil {
		return nil, int(ran.Load())
	}
	return s.shrink(t, <-databases, failed.Load(), shrinkFor), int(ran.Load())
}

// wantSameCalls fails the test if a schedule played twice didn't make the same
// calls: then something beyond the schedule decides what the consumer does,
// such as the order of a map, and its failures could not be played again.
func (s *search[S]) wantSameCalls(t *testing.T, seed int, first, second *run) {
	t.Helper()
	for i := range max(len(first.calls), len(second.calls)) {
		var calls [2]string
		for n, r := range []*run{first, second} {
			if calls[n] = "none"; i < len(r.calls) {
				calls[n] = r.calls[i]
			}
		}
		if calls[0] != calls[1] {
			t.Errorf("%s: seed %d played twice makes other calls the second time. Call %d is\n\t%s\nand then\n\t%s", s.name, seed, i+1, calls[0], calls[1])
			return
		}
	}
}

// shrink runs the schedule of a failure again, and smaller ones for so long at most,
// and returns the smallest that fails in one of these ways.
func (s *search[S]) shrink(t *testing.T, db database, found *Failure, shrinkFor string) *Failure {
	t.Helper()
	seed := found.Seed
	settings := map[string]string{"rapid.seed": fmt.Sprint(seed), "rapid.checks": "5", "rapid.nofailfile": "true", shrinkTime: shrinkFor}
	before := map[string]string{}
	for name := range settings {
		before[name] = flag.Lookup(name).Value.String()
	}
	set := func(values map[string]string) {
		for name, value := range values {
			if err := flag.Set(name, value); err != nil {
				t.Fatal(err)
			}
		}
	}
	set(settings)
	defer set(before)
	var last *run
	var done sync.WaitGroup
	done.Go(func() { // Check ends the goroutine
		rapid.Check(&silent{}, func(rt *rapid.T) {
			r := s.play(t, db, s.generator.Draw(rt, "schedule"))
			if r.failed(s.kinds...) {
				last = r
				rt.Fatal("the destination differs")
			}
		})
	})
	done.Wait()
	if last == nil {
		t.Fatalf("seed %d failed once, but not again: the consumer, or what is read, depends on something beyond the schedule. It was\n%s", seed, found)
	}
	return last.failure(seed)
}

func (r *run) failure(seed int) *Failure {
	return &Failure{Seed: seed, Problems: r.problems, Story: r.story}
}

// silent is what rapid may log to and fail in our test's place.
type silent struct{ failed bool }

var _ rapid.TB = (*silent)(nil)

func (*silent) Helper()                 {}
func (*silent) Name() string            { return "consumertest" }
func (*silent) Logf(string, ...any)     {}
func (*silent) Log(...any)              {}
func (*silent) Skipf(string, ...any)    { runtime.Goexit() }
func (*silent) Skip(...any)             { runtime.Goexit() }
func (*silent) SkipNow()                { runtime.Goexit() }
func (s *silent) Errorf(string, ...any) { s.failed = true }
func (s *silent) Error(...any)          { s.failed = true }
func (s *silent) Fatalf(string, ...any) { s.FailNow() }
func (s *silent) Fatal(...any)          { s.FailNow() }
func (s *silent) FailNow()              { s.failed = true; runtime.Goexit() }
func (s *silent) Fail()                 { s.failed = true }
func (s *silent) Failed() bool          { return s.failed }
