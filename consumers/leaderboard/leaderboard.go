package leaderboard

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"golang.org/x/sync/errgroup"

	"sluice/consumers/leaderboard/aggregate"
	"sluice/consumers/leaderboard/view"
	"sluice/shared/change"
	"sluice/shared/consumer"
)

// The names of the tables' attributes and of the boards' indexes.
const (
	AttrUser       = "UserId"
	AttrTimestamp  = "Timestamp" // sort key of the score table
	AttrScore      = "Score"
	AttrShard      = "ShardNo"
	AttrBoard      = "Board" // sort key of the table of boxed boards
	AttrBoardShard = "BoardShard"
	IndexName      = "IndexShardNoScore"    // ShardNo, then Score
	BoxIndexName   = "IndexBoardShardScore" // BoardShard, then Score
)

// concurrency is how many items of views are updated at once.
const concurrency = 16

// Leaderboard keeps the declared views up to date. It is a consumer.Consumer and
// safe for concurrent use.
type Leaderboard struct {
	settings Settings
	views    []*view.View
	tables   map[string]*aggregate.Table // by name
	now      func() time.Time
}

var _ consumer.Consumer = (*Leaderboard)(nil)

// New returns a Leaderboard that keeps the shipped views and writes through
// client. It makes no call. The error names every setting that is wrong.
func New(client *dynamodb.Client, s Settings) (*Leaderboard, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	views, err := s.Views()
	if err != nil {
		return nil, err
	}
	return newOf(client, s, views), nil
}

func newOf(client *dynamodb.Client, s Settings, views []*view.View) *Leaderboard {
	l := &Leaderboard{settings: s, views: views, tables: map[string]*aggregate.Table{}, now: time.Now}
	for _, v := range views {
		l.tables[v.Table] = &aggregate.Table{
			Client:  client,
			Name:    v.Table,
			Ledger:  s.LedgerTable,
			Horizon: s.Horizon,
			Now:     func() time.Time { return l.now() },
		}
	}
	return l
}

// ApplyBatch brings the views up to date: one group of calls for each item of a
// view, the items side by side.
//
// A change may have several parts, in several views, or in two items of one that
// it moves something between. Each is applied for itself; what becomes of the
// change, combined tells.
func (l *Leaderboard) ApplyBatch(ctx context.Context, batch []*change.Change) []error {
	outcomes := make([][]error, len(batch)) // of each change's parts
	var groups []*group
	for _, v := range l.views {
		byName := map[string]*group{}
		for i, c := range batch {
			parts, err := v.Contributions(c, l.settings.Horizon)
			if err != nil {
				outcomes[i] = append(outcomes[i], inView(v, err))
			}
			for _, part := range parts {
				g := byName[part.Target.Group]
				if g == nil {
					g = &group{view: v, target: part.Target}
					byName[part.Target.Group] = g
					groups = append(groups, g)
				}
				g.amounts = append(g.amounts, part.Amount)
				g.indexes = append(g.indexes, i)
			}
		}
	}
	var work errgroup.Group
	work.SetLimit(concurrency)
	for _, g := range groups {
		work.Go(func() error {
			g.errs = l.tables[g.view.Table].Add(ctx, g.target, g.amounts)
			return nil
		})
	}
	_ = work.Wait() // errors are in the groups
	for _, g := range groups {
		for n, err := range g.errs {
			outcomes[g.indexes[n]] = append(outcomes[g.indexes[n]], inView(g.view, err))
		}
	}
	errs := make([]error, len(batch))
	for i, parts := range outcomes {
		errs[i] = combined(parts)
	}
	return errs
}

// group is what a batch does to one item of a view.
type group struct {
	view    *view.View
	target  aggregate.Target
	amounts []aggregate.Amount
	indexes []int // of the changes in the batch
	errs    []error
}

// inView says in which view an error arose.
func inView(v *view.View, err error) error {
	if err == nil {
		return nil
	}
	if rejection, ok := errors.AsType[*consumer.Rejection](err); ok {
		return consumer.RejectFor(rejection.Reason, fmt.Errorf("view %s: %w", v.Name, rejection.Err))
	}
	return fmt.Errorf("view %s: %w", v.Name, err)
}

// combined is what becomes of a change with these outcomes of its parts, the
// worst of them: as long as a part has to come again, the change does, and the
// parts that are done are duplicates then. Only when all are done is a rejected
// part's change a dead letter, one for all, which names each view that refused it.
func combined(parts []error) error {
	byOutcome := map[consumer.Outcome][]error{}
	for _, err := range parts {
		outcome := consumer.OutcomeOf(err)
		byOutcome[outcome] = append(byOutcome[outcome], err)
	}
	if again := byOutcome[consumer.Retry]; again != nil {
		return errors.Join(again...)
	}
	if rejected := byOutcome[consumer.Rejected]; rejected != nil {
		var reasons []error
		for _, err := range rejected {
			rejection, _ := errors.AsType[*consumer.Rejection](err)
			reasons = append(reasons, rejection.Err)
		}
		first, _ := errors.AsType[*consumer.Rejection](rejected[0])
		return consumer.RejectFor(first.Reason, errors.Join(reasons...))
	}
	if byOutcome[consumer.Applied] != nil {
		return nil
	}
	if byOutcome[consumer.Duplicate] != nil {
		return consumer.Duplicate
	}
	return consumer.Skip
}
