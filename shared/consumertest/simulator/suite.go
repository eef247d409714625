package simulator

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

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
	// Begin, if it isn't nil, is told after Setup which changes will have happened,
	// in their order, for consumers that look at the source too.
	Begin func(context.Context, aws.Config, []consumertest.Change) error
	// New starts an instance of the consumer, as for consumer.Main. Its clients
	// must use cfg.HTTPClient: that is where the faults come from. The consumer
	// must not hold a lock while it waits for the destination. cfg.AppID names the
	// instance, the same in every replay: what would be random may come from it.
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
	// Prompt says that a call whose caller has given up arrives at once or never.
	// Otherwise it may arrive at any later time, when others have changed and
	// deleted what it writes: only a write whose condition tells by the item alone
	// that it comes too late withstands that.
	Prompt bool
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

// Run runs the suite's schedules and fails the test with the shortest one that
// the consumer gets wrong.
func Run(t *testing.T, s Suite) {
	t.Helper()
	s.search(nil).run(t)
}

// Find is Run for a consumer that is meant to be wrong: it returns a failure, cut
// down for a moment, or nil, and how many schedules it ran. If there are kinds, only
// a failure with a problem of one of them counts.
func Find(t *testing.T, s Suite, kinds ...Kind) (*Failure, int) {
	t.Helper()
	return s.search(kinds).findExpected(t)
}

func (s *Suite) search(kinds []Kind) *search[schedule] {
	return &search[schedule]{
		name: s.Name, database: s.Database, schedules: s.Schedules, seed: s.Seed,
		generator: s.Workload.schedules(), play: s.play, kinds: kinds,
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
		server:   db.engine.call,
		outcomes: map[string][]consumer.Outcome{},
	}
	if err := s.Setup(t.Context(), r.config); err != nil {
		t.Fatalf("%s: set up the destination: %v", s.Name, err)
	}
	if s.Begin != nil {
		if err := s.Begin(t.Context(), r.config, changes); err != nil {
			t.Fatalf("%s: begin: %v", s.Name, err)
		}
	}
	r.play(t)
	return r
}
