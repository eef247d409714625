package leaderboard

import (
	"context"
	"fmt"
	"hash/fnv"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/shopspring/decimal"
	"golang.org/x/sync/errgroup"

	"sluice/consumers/leaderboard/aggregate"
	"sluice/shared/change"
	"sluice/shared/consumer"
)

// The names of the tables' attributes and of the board's index.
const (
	AttrUser      = "UserId"
	AttrTimestamp = "Timestamp" // sort key of the score table
	AttrScore     = "Score"
	AttrShard     = "ShardNo"
	IndexName     = "IndexShardNoScore" // ShardNo, then Score
)

// concurrency is how many players' items are updated at once.
const concurrency = 16

// Leaderboard adds the changes of the score table to the players' totals. It is
// a consumer.Consumer and safe for concurrent use.
type Leaderboard struct {
	settings Settings
	totals   aggregate.Table
}

var _ consumer.Consumer = (*Leaderboard)(nil)

// New returns a Leaderboard that writes through client. It makes no call.
// The error names every setting that is wrong.
func New(client *dynamodb.Client, s Settings) (*Leaderboard, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	return &Leaderboard{settings: s, totals: aggregate.Table{
		Client:  client,
		Name:    s.BoardTable,
		Ledger:  s.LedgerTable,
		Horizon: s.Horizon,
		Now:     time.Now,
	}}, nil
}

// ApplyBatch adds the batch's changes to the totals: one group of calls for
// each player, the players side by side.
func (l *Leaderboard) ApplyBatch(ctx context.Context, batch []*change.Change) []error {
	errs := make([]error, len(batch))
	players := map[string]*additions{}
	for i, c := range batch {
		user, amount, err := l.contribution(c)
		if err != nil {
			errs[i] = err
			continue
		}
		p := players[user]
		if p == nil {
			p = &additions{}
			players[user] = p
		}
		p.amounts = append(p.amounts, aggregate.Amount{ID: c.ID(), Value: amount})
		p.indexes = append(p.indexes, i)
	}
	var group errgroup.Group
	group.SetLimit(concurrency)
	for user, p := range players {
		group.Go(func() error {
			for n, err := range l.totals.Add(ctx, l.target(user), p.amounts) {
				errs[p.indexes[n]] = err
			}
			return nil
		})
	}
	_ = group.Wait() // the goroutines report through errs and never fail
	return errs
}

// additions are what a batch adds to one player's total.
type additions struct {
	amounts []aggregate.Amount
	indexes []int // of the changes in the batch
}

// contribution returns what a change adds to its player's total: the score
// after it less the score before it. Their sum doesn't depend on the order.
func (l *Leaderboard) contribution(c *change.Change) (user string, amount decimal.Decimal, err error) {
	if c.Table != l.settings.ScoreTable {
		return "", amount, fmt.Errorf("a change of table %s: %w", c.Table, consumer.Skip)
	}
	if c.ByTTL() && !l.settings.CountTTLDeletes {
		return "", amount, fmt.Errorf("expired, and expired scores stay in the total: %w", consumer.Skip)
	}
	user, err = c.Keys.String(AttrUser)
	if err != nil {
		return "", amount, consumer.Reject(err)
	}
	after, err := score(c.New)
	if err != nil {
		return "", amount, consumer.Reject(fmt.Errorf("player %q, new image: %w", user, err))
	}
	before, err := score(c.Old)
	if err != nil {
		return "", amount, consumer.Reject(fmt.Errorf("player %q, old image: %w", user, err))
	}
	amount = after.Sub(before)
	if c.Kind == change.Modify && amount.IsZero() {
		return "", amount, fmt.Errorf("the score stays the same: %w", consumer.Skip)
	}
	return user, amount, nil
}

// score returns an image's score; that of an item which isn't there is 0.
func score(image change.Image) (decimal.Decimal, error) {
	if !image.Exists() {
		return decimal.Zero, nil
	}
	text, err := image.Number(AttrScore)
	if err != nil {
		return decimal.Zero, err
	}
	return decimal.NewFromString(text)
}

func (l *Leaderboard) target(user string) aggregate.Target {
	return aggregate.Target{
		Key:   map[string]types.AttributeValue{AttrUser: &types.AttributeValueMemberS{Value: user}},
		Group: user,
		Sum:   AttrScore,
		Set: map[string]types.AttributeValue{
			AttrShard: &types.AttributeValueMemberN{Value: strconv.Itoa(shard(user, l.settings.Shards))},
		},
	}
}

// shard spreads the players over the index's partitions. The hash is stable:
// the same player gets the same shard in every process and version.
func shard(user string, shards int) int {
	h := fnv.New32a()
	h.Write([]byte(user)) // never fails
	return int(h.Sum32() % uint32(shards))
}
