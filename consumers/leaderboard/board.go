package leaderboard

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/shopspring/decimal"
	"golang.org/x/sync/errgroup"

	"sluice/consumers/leaderboard/view"
)

// Board reads what the leaderboard knows. It is safe for concurrent use.
type Board struct {
	Client     *dynamodb.Client
	ScoreTable string
	BoardTable string
	BoxTable   string
	Shards     int // as in the consumer's Settings
}

// The boards that Top knows.
const (
	TotalBoard  = "total"
	DailyBoard  = "daily"  // the view of that name
	WeeklyBoard = "weekly" // the view of that name
)

// Total is one player's total.
type Total struct {
	User  string          `json:"user"`
	Score decimal.Decimal `json:"score"`
}

// MaxHistory is how many scores History returns at most.
const MaxHistory = 100

// Top returns the n players with the highest totals, highest first, equal ones
// by name. It asks all shards of the index side by side for their n best and
// merges them. The index is eventually consistent: a total that changed a
// moment ago may still be the old one.
func (b Board) Top(ctx context.Context, n int) ([]Total, error) {
	return b.top(ctx, n, index{b.BoardTable, IndexName, AttrShard}, func(shard int) (types.AttributeValue, error) {
		return &types.AttributeValueMemberN{Value: strconv.Itoa(shard)}, nil
	})
}

// TopOf is Top for the day or week that holds a moment, of DailyBoard or
// WeeklyBoard. It also returns the name of the day or week.
func (b Board) TopOf(ctx context.Context, board string, at time.Time, n int) (box string, best []Total, err error) {
	v, err := b.view(board)
	if err != nil {
		return "", nil, err
	}
	box = v.Box.At(at)
	best, err = b.top(ctx, n, index{b.BoxTable, BoxIndexName, AttrBoardShard}, func(shard int) (types.AttributeValue, error) {
		value, err := v.ShardValue(box, shard)
		return &types.AttributeValueMemberS{Value: value}, err
	})
	return box, best, err
}

// view returns the view behind a board of days or weeks.
func (b Board) view(board string) (*view.View, error) {
	s := DefaultSettings()
	s.ScoreTable, s.BoardTable, s.BoxTable, s.Shards = b.ScoreTable, b.BoardTable, b.BoxTable, b.Shards
	return s.view(board)
}

// index is where a board's items stand by shard, highest score last.
type index struct{ table, name, shard string }

func (b Board) top(ctx context.Context, n int, in index, value func(shard int) (types.AttributeValue, error)) ([]Total, error) {
	if n <= 0 {
		return nil, nil
	}
	shards := make([][]Total, b.Shards)
	group, ctx := errgroup.WithContext(ctx)
	for shard := range shards {
		group.Go(func() error {
			key, err := value(shard)
			if err == nil {
				shards[shard], err = b.topOfShard(ctx, in, key, n)
			}
			if err != nil {
				return fmt.Errorf("shard %d: %w", shard, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("read the top %d of %s: %w", n, in.table, err)
	}
	best := slices.Concat(shards...)
	slices.SortFunc(best, func(x, y Total) int {
		return cmp.Or(y.Score.Cmp(x.Score), cmp.Compare(x.User, y.User))
	})
	return best[:min(n, len(best))], nil
}

// topOfShard returns a shard's n best. Players level with the last of them are
// read too, since the index doesn't order those.
func (b Board) topOfShard(ctx context.Context, in index, shard types.AttributeValue, n int) ([]Total, error) {
	pages := dynamodb.NewQueryPaginator(b.Client, &dynamodb.QueryInput{
		TableName:                 &in.table,
		IndexName:                 &in.name,
		KeyConditionExpression:    aws.String("#shard = :shard"),
		ExpressionAttributeNames:  map[string]string{"#shard": in.shard},
		ExpressionAttributeValues: map[string]types.AttributeValue{":shard": shard},
		ScanIndexForward:          aws.Bool(false),
		Limit:                     aws.Int32(int32(min(n, 1000))),
	})
	var best []Total
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, item := range page.Items {
			total, err := readTotal(item)
			if err != nil {
				return nil, err
			}
			if len(best) >= n && total.Score.LessThan(best[n-1].Score) {
				return best, nil
			}
			best = append(best, total)
		}
	}
	return best, nil
}

// Event is one entry of a player's score history.
type Event struct {
	Timestamp string          `json:"timestamp"`
	Score     decimal.Decimal `json:"score"`
}

// History returns a player's latest n scores, latest first; at most MaxHistory.
func (b Board) History(ctx context.Context, user string, n int) ([]Event, error) {
	if n <= 0 {
		return nil, nil
	}
	out, err := b.Client.Query(ctx, &dynamodb.QueryInput{
		TableName:                 &b.ScoreTable,
		KeyConditionExpression:    aws.String("#user = :user"),
		ExpressionAttributeNames:  map[string]string{"#user": AttrUser},
		ExpressionAttributeValues: map[string]types.AttributeValue{":user": &types.AttributeValueMemberS{Value: user}},
		ScanIndexForward:          aws.Bool(false),
		Limit:                     aws.Int32(int32(min(n, MaxHistory))),
	})
	if err != nil {
		return nil, fmt.Errorf("read the history of %q in %s: %w", user, b.ScoreTable, err)
	}
	events := make([]Event, len(out.Items))
	for i, item := range out.Items {
		score, err := readNumber(item, AttrScore)
		if err != nil {
			return nil, fmt.Errorf("history of %q: %w", user, err)
		}
		events[i] = Event{Timestamp: readString(item, AttrTimestamp), Score: score}
	}
	return events, nil
}

// Totals reads every player's total from the board itself, strongly consistent.
func (b Board) Totals(ctx context.Context) (map[string]decimal.Decimal, error) {
	totals := map[string]decimal.Decimal{}
	err := b.scan(ctx, b.BoardTable, AttrShard, func(t Total, _ string) error {
		totals[t.User] = t.Score
		return nil
	})
	return totals, err
}

// Written sums what stands in the score table for each player.
func (b Board) Written(ctx context.Context) (map[string]decimal.Decimal, error) {
	sums := map[string]decimal.Decimal{}
	err := b.scan(ctx, b.ScoreTable, AttrTimestamp, func(t Total, _ string) error {
		sums[t.User] = sums[t.User].Add(t.Score)
		return nil
	})
	return sums, err
}

// scan visits every item of a table of scores or totals, strongly consistent,
// with the text of one more attribute.
func (b Board) scan(ctx context.Context, table, more string, visit func(t Total, more string) error) error {
	pages := dynamodb.NewScanPaginator(b.Client, &dynamodb.ScanInput{
		TableName:                &table,
		ConsistentRead:           aws.Bool(true),
		ProjectionExpression:     aws.String("#user, #score, #more"),
		ExpressionAttributeNames: map[string]string{"#user": AttrUser, "#score": AttrScore, "#more": more},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("read %s: %w", table, err)
		}
		for _, item := range page.Items {
			t, err := readTotal(item)
			if err == nil {
				err = visit(t, readString(item, more))
			}
			if err != nil {
				return fmt.Errorf("read %s: %w", table, err)
			}
		}
	}
	return nil
}

func readTotal(item map[string]types.AttributeValue) (Total, error) {
	user := readString(item, AttrUser)
	score, err := readNumber(item, AttrScore)
	if err != nil {
		return Total{}, fmt.Errorf("player %q: %w", user, err)
	}
	return Total{User: user, Score: score}, nil
}

// readString returns a key attribute, which is always there and a string.
func readString(item map[string]types.AttributeValue, name string) string {
	if s, ok := item[name].(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

func readNumber(item map[string]types.AttributeValue, name string) (decimal.Decimal, error) {
	n, ok := item[name].(*types.AttributeValueMemberN)
	if !ok {
		return decimal.Zero, fmt.Errorf("attribute %s is no number", name)
	}
	return decimal.NewFromString(n.Value)
}
