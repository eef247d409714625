package simulator

import (
	"context"
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

	"sluice/shared/consumer"
	"sluice/shared/consumertest"
)

// Suite is a consumer with all that is needed to judge it.
type Suite struct {
	// Name is the consumer's name, as for consumer.Main.
	Name     string
	Workload Workload
	// Database returns a database of the real server that nobody else uses. Each
	// of the workers that run schedules side by side takes one.
	Database func(testing.TB) aws.Config
	// Setup makes the destination, empty: it is called before each schedule, and
	// what the last one left must go. Recreate does it for DynamoDB's tables.
	Setup func(context.Context, aws.Config) error
	// New starts an instance of the consumer, as for consumer.Main. Its clients
	// must use cfg.HTTPClient: that is where the faults come from. The consumer
	// must not hold a lock while it waits for the destination.
	New func(cfg aws.Config) (consumer.Consumer, error)
	// Read reads the destination: what it holds, in words, by item.
	Read func(context.Context, aws.Config) (map[string]string, error)
	// Want returns what Read should find after these changes, each of which
	// happened once, in this order. It is a fold: Want of fewer changes must be
	// right, too, since some may end as dead letters.
	Want func([]consumertest.Change) map[string]string
	// Rejects tells which changes the consumer has to reject; nil: none. They are
	// not in what Want is asked about.
	Rejects func(consumertest.Change) bool
	// Horizon is how long the consumer remembers changes; if it isn't 0, the
	// stream is delivered again after it, which must change nothing.
	Horizon time.Duration
	// ForgetsAfter is how long after the horizon Forget is called.
	ForgetsAfter time.Duration
	// Forget deletes what time to live would have deleted by then.
	Forget func(context.Context, aws.Config) error

	// Schedules is how many schedules Run tries; 100 if it is 0. The flag
	// -simulator.schedules overrides it.
	Schedules int
	// Seed is the first schedule's seed; 0: a random one.
	Seed int
}

var (
	flagSchedules = flag.Int("simulator.schedules", 0, "how many schedules each suite runs; 0: as the suite says")
	flagSeed      = flag.Int("simulator.seed", 0, "seed of the first schedule; with -simulator.schedules=1 that very one again")
	flagFor       = flag.Duration("simulator.for", 0, "run schedules for so long, however many that makes")
)

// workers is how many schedules run side by side. The server takes about 600
// conditional writes a second for each database.
const workers = 4

// replayEvery is how often a schedule is played twice, to see that it does the same.
const replayEvery = 25

// Failure is a schedule after which the destination isn't what it should be.
type Failure struct {
	Seed     int
	Problems []string // what is wrong
	Story    []string // what happened
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

// Run runs the suite's schedules and fails the test with the shortest one that
// the consumer gets wrong.
func Run(t *testing.T, s Suite) {
	t.Helper()
	started := time.Now()
	failure, ran := Find(t, s)
	elapsed := time.Since(started)
	if failure == nil {
		t.Logf("%s: %d schedules run, 0 differed, in %v (%.1f a second)", s.Name, ran, elapsed.Round(time.Millisecond), float64(ran)/elapsed.Seconds())
		return
	}
	t.Fatalf("%s: %d schedules run, 1 differed; seed %d. To run it again, in the test's directory:\n\tgo test . -run '^%s$' -simulator.seed=%d -simulator.schedules=1\nThe shortest schedule that fails:\n%s",
		s.Name, ran, failure.Seed, strings.ReplaceAll(t.Name(), "/", "$/^"), failure.Seed, failure)
}

// Find is Run for a consumer that is meant to be wrong: it returns the shortest
// failure that it finds, or nil, and how many schedules it ran.
func Find(t *testing.T, s Suite) (*Failure, int) {
	t.Helper()
	if *flagSchedules > 0 {
		s.Schedules = *flagSchedules
	}
	if *flagSeed > 0 {
		s.Seed = *flagSeed
	}
	if s.Schedules == 0 {
		s.Schedules = 100
	}
	if s.Seed == 0 {
		s.Seed = 1 + rand.IntN(1<<30)
	}
	until := time.Now().Add(*flagFor)
	generator := s.Workload.schedules()
	var next, ran atomic.Int64
	var failed atomic.Pointer[int]
	var side sync.WaitGroup
	databases := make([]database, workers)
	for i := range databases {
		databases[i] = database{s.Database(t), newEngine()}
		defer databases[i].engine.close()
	}
	for _, db := range databases {
		side.Go(func() {
			for failed.Load() == nil && !t.Failed() {
				n := int(next.Add(1)) - 1
				if *flagFor == 0 && n >= s.Schedules || *flagFor > 0 && time.Now().After(until) {
					return
				}
				seed := s.Seed + n
				r := s.play(t, db, generator.Example(seed))
				ran.Add(1)
				if r.failed() {
					failed.CompareAndSwap(nil, &seed)
				} else if n%replayEvery == 0 {
					s.wantSameCalls(t, seed, r, s.play(t, db, r.schedule))
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
	return s.shrink(t, databases[0], generator, *failed.Load()), int(ran.Load())
}

// wantSameCalls fails the test if a schedule played twice didn't make the same
// calls: then something beyond the schedule decides what the consumer does,
// such as the order of a map, and its failures could not be played again.
func (s *Suite) wantSameCalls(t *testing.T, seed int, first, second *run) {
	t.Helper()
	for i := range max(len(first.calls), len(second.calls)) {
		var calls [2]string
		for n, r := range []*run{first, second} {
			if calls[n] = "none"; i < len(r.calls) {
				calls[n] = r.calls[i]
			}
		}
		if calls[0] != calls[1] {
			t.Errorf("%s: seed %d played twice makes other calls the second time. Call %d is\n\t%s\nand then\n\t%s", s.Name, seed, i+1, calls[0], calls[1])
			return
		}
	}
}

// database is where one schedule runs at a time.
type database struct {
	config aws.Config // without faults
	engine *engine
}

// play runs one schedule.
func (s *Suite) play(t *testing.T, db database, sch schedule) *run {
	t.Helper()
	changes := s.Workload.history(sch.writes)
	return s.playChanges(t, db, sch, changes, sch.deliveries(changes))
}

// playChanges runs a schedule with other changes and deliveries than its own.
func (s *Suite) playChanges(t *testing.T, db database, sch schedule, changes []consumertest.Change, batches [lanes][][]record) *run {
	t.Helper()
	r := &run{
		suite:    s,
		schedule: sch,
		changes:  changes,
		batches:  batches,
		database: db,
		outcomes: map[string][]consumer.Outcome{},
	}
	if err := s.Setup(t.Context(), r.config); err != nil {
		t.Fatalf("%s: set up the destination: %v", s.Name, err)
	}
	r.play(t)
	return r
}

// shrink runs the schedule of a seed again, and smaller ones, for as long as
// they fail, and returns the smallest.
func (s *Suite) shrink(t *testing.T, db database, generator *rapid.Generator[schedule], seed int) *Failure {
	t.Helper()
	settings := map[string]string{"rapid.seed": fmt.Sprint(seed), "rapid.checks": "5", "rapid.nofailfile": "true"}
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
			r := s.play(t, db, generator.Draw(rt, "schedule"))
			if r.failed() {
				last = r
				rt.Fatal("the destination differs")
			}
		})
	})
	done.Wait()
	if last == nil {
		t.Fatalf("seed %d failed once, but not again: the consumer depends on something beyond the schedule", seed)
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
