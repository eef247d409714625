// Package boards reads what the leaderboard knows: the best players of all time, a day or a week,
// where a player stands, and a player's latest scores. It writes nothing. No function links it.
//
// # Not guaranteed
//
//   - That an answer holds a change that was made a moment ago: the indexes that it reads are
//     eventually consistent.
package boards

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/shopspring/decimal"

	"sluice/shared/change"
	"sluice/shared/view"
)

// Board reads what the leaderboard knows. It is safe for concurrent use.
type Board struct {
	Client     *dynamodb.Client
	ScoreTable string
	BoardTable string
	BoxTable   string
	RankTable  string
	Shards     int // as in the consumer's Settings
	// Views are those that the consumer keeps.
	Views []*view.View
	// MaxCounted is how many players with nearly the same total Rank reads at most
	// to tell their order. Where there are more, ranks are bounded, not exact. 0: DefaultMaxCounted.
	MaxCounted int
}

// The names of the tables' attributes and of the boards' indexes.
const (
	AttrUser       = "UserId"
	AttrTimestamp  = "Timestamp" // sort key of the score table
	AttrScore      = "Score"
	AttrReachedAt  = "ReachedAt" // µs
	AttrShard      = "ShardNo"
	AttrBoard      = "Board" // sort key of the table of boxed boards
	AttrBoardShard = "BoardShard"
	AttrBucket     = "Bucket"               // sort key of the table of ranks, after AttrBoard
	AttrPlayers    = "Players"              // how many are in a bucket
	IndexName      = "IndexShardNoScore"    // ShardNo, then Score
	BoxIndexName   = "IndexBoardShardScore" // BoardShard, then Score
)

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
	// ReachedAt is when the newest change of the total was made, to the
	// microsecond; zero for totals from before this was kept.
	ReachedAt time.Time `json:"reachedAt,omitzero"`
	// Problem says what else of the item can't be read; the rest is right.
	Problem string `json:"problem,omitempty"`
}

// Compare orders players as a board does: the higher score first, of equal ones
// that which was reached first, and of those the first name.
func (t Total) Compare(o Total) int {
	return cmp.Or(o.Score.Cmp(t.Score), t.ReachedAt.Compare(o.ReachedAt), cmp.Compare(t.User, o.User))
}

// MaxHistory is how many scores History returns at most.
const MaxHistory = 100

// Top returns the n players with the highest totals, in the order of
// [Total.Compare]. An index that holds keys only, as those of older tables do,
// doesn't tell who was first; there equal ones are by name. Top asks all shards
// of the index side by side for their n best and merges them. The index is
// eventually consistent: a total that changed a moment ago may still be the old
// one.
func (b Board) Top(ctx context.Context, n int) ([]Total, error) {
	return b.top(ctx, n, b.totals())
}

// TopOf is Top for the day or week that holds a moment, of DailyBoard or
// WeeklyBoard. It also returns the name of the day or week.
func (b Board) TopOf(ctx context.Context, board string, at time.Time, n int) (box string, best []Total, err error) {
	v := view.Named(b.Views, board)
	if v == nil {
		return "", nil, fmt.Errorf("no view %s is declared, so there is no such board", board)
	}
	box = v.Box.At(at)
	best, err = b.top(ctx, n, index{b.BoxTable, BoxIndexName, AttrBoardShard, func(shard int) (types.AttributeValue, error) {
		value, err := v.ShardValue(box, shard)
		return &types.AttributeValueMemberS{Value: value}, err
	}})
	return box, best, err
}

// top returns the best players of an index.
func (b Board) top(ctx context.Context, n int, in index) ([]Total, error) {
	if n <= 0 {
		return nil, nil
	}
	best, _, err := b.read(ctx, in, stretch{n: n})
	if err != nil {
		return nil, fmt.Errorf("read the top %d of %s: %w", n, in.table, err)
	}
	return best[:min(n, len(best))], nil
}

// Event is one entry of a player's score history: a score, or why the item has none.
type Event struct {
	Timestamp string           `json:"timestamp"`
	Score     *decimal.Decimal `json:"score,omitempty"`
	Problem   string           `json:"problem,omitempty"`
}

// History returns a player's latest n scores, latest first; at most MaxHistory. An item without a usable score counts too,
// and says why: the boards don't count it, since its change is a dead letter.
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
		events[i].Timestamp = change.TextOf(item[AttrTimestamp])
		if score, err := Number(item, AttrScore); err != nil {
			events[i].Problem = err.Error()
		} else {
			events[i].Score = &score
		}
	}
	return events, nil
}

// Totals reads every player's total from the board itself, strongly consistent.
func (b Board) Totals(ctx context.Context) (map[string]decimal.Decimal, error) {
	totals := map[string]decimal.Decimal{}
	err := b.Scan(ctx, b.BoardTable, AttrShard, func(t Total, _ string) error {
		totals[t.User] = t.Score
		return nil
	})
	return totals, err
}

// Standings reads the board itself whole, strongly consistent, and returns all
// players in the order of [Total.Compare].
func (b Board) Standings(ctx context.Context) ([]Total, error) {
	var players []Total
	err := b.Scan(ctx, b.BoardTable, AttrShard, func(t Total, _ string) error {
		players = append(players, t)
		return nil
	})
	slices.SortFunc(players, Total.Compare)
	return players, err
}

// Scan visits every item of a table of scores or totals, strongly consistent,
// with the text of one more attribute.
func (b Board) Scan(ctx context.Context, table, more string, visit func(t Total, more string) error) error {
	pages := dynamodb.NewScanPaginator(b.Client, &dynamodb.ScanInput{
		TableName:                &table,
		ConsistentRead:           aws.Bool(true),
		ProjectionExpression:     aws.String("#user, #score, #reached, #more"),
		ExpressionAttributeNames: map[string]string{"#user": AttrUser, "#score": AttrScore, "#reached": AttrReachedAt, "#more": more},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("read %s: %w", table, err)
		}
		for _, item := range page.Items {
			t, err := readTotal(item)
			if err == nil {
				err = visit(t, change.TextOf(item[more]))
			}
			if err != nil {
				return fmt.Errorf("read %s: %w", table, err)
			}
		}
	}
	return nil
}

func readTotal(item map[string]types.AttributeValue) (Total, error) {
	user := change.TextOf(item[AttrUser])
	score, err := Number(item, AttrScore)
	if err != nil {
		return Total{}, fmt.Errorf("player %q: %w", user, err)
	}
	t := Total{User: user, Score: score}
	if _, kept := item[AttrReachedAt]; !kept {
		return t, nil // an older item, or an index with keys only
	}
	reached, err := Number(item, AttrReachedAt)
	switch {
	case err != nil:
		t.Problem = err.Error()
	case !reached.IsInteger() || reached.IsNegative() || reached.GreaterThan(maxReachedAt):
		t.Problem = fmt.Sprintf("attribute %s is no time in microseconds", AttrReachedAt)
	default:
		t.ReachedAt = time.UnixMicro(reached.IntPart()).UTC()
	}
	return t, nil
}

// maxReachedAt is the last time that JSON can hold, the end of the year 9999, in microseconds.
var maxReachedAt = decimal.NewFromInt(time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC).UnixMicro())

// Number returns a number that an item has.
func Number(item map[string]types.AttributeValue, name string) (decimal.Decimal, error) {
	n, ok := item[name].(*types.AttributeValueMemberN)
	if _, has := item[name]; !has {
		return decimal.Zero, fmt.Errorf("attribute %s is missing", name)
	}
	if !ok {
		return decimal.Zero, fmt.Errorf("attribute %s is no number", name)
	}
	return decimal.NewFromString(n.Value)
}
