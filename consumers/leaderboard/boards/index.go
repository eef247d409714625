package boards

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/shopspring/decimal"
	"golang.org/x/sync/errgroup"
)

// index is where a board's players stand, spread over shards, in each in the
// order of their scores.
type index struct {
	table, name, shard string
	value              func(shard int) (types.AttributeValue, error)
}

// totals is the index of the board of totals.
func (b Board) totals() index {
	return index{b.BoardTable, IndexName, AttrShard, func(shard int) (types.AttributeValue, error) {
		return &types.AttributeValueMemberN{Value: strconv.Itoa(shard)}, nil
	}}
}

// stretch says which players of an index are read, and from which end.
type stretch struct {
	where     string // a condition on #score; empty: all
	values    map[string]types.AttributeValue
	ascending bool // lowest score first
	n         int  // so many of each shard and all that are level with the last of them; 0: all
	most      int  // how many more than these n are read, over all shards, before giving up; 0: all
}

// read asks all shards side by side for a stretch of the index and returns its
// players in the order of the board. The index doesn't order those with the same
// score, so they are read all or not at all: if there are too many, cut is the
// score from which on they are missing, seen from the end where reading began.
func (b Board) read(ctx context.Context, in index, s stretch) (players []Total, cut *decimal.Decimal, err error) {
	shards := make([][]Total, b.Shards)
	cuts := make([]*decimal.Decimal, b.Shards)
	var more atomic.Int64 // players read beyond the n of their shards
	group, ctx := errgroup.WithContext(ctx)
	for shard := range shards {
		group.Go(func() (err error) {
			if shards[shard], cuts[shard], err = b.readShard(ctx, in, shard, s, &more); err != nil {
				return fmt.Errorf("shard %d: %w", shard, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, nil, err
	}
	players = slices.Concat(shards...)
	beyond := decimal.Decimal.LessThanOrEqual
	if s.ascending {
		beyond = decimal.Decimal.GreaterThanOrEqual
	}
	for _, c := range cuts {
		if c != nil && (cut == nil || !beyond(*c, *cut)) {
			cut = c
		}
	}
	if cut != nil {
		players = slices.DeleteFunc(players, func(t Total) bool { return beyond(t.Score, *cut) })
	}
	slices.SortFunc(players, Total.Compare)
	return players, cut, nil
}

// readShard is read for one shard.
func (b Board) readShard(ctx context.Context, in index, shard int, s stretch, more *atomic.Int64) (players []Total, cut *decimal.Decimal, err error) {
	key, err := in.value(shard)
	if err != nil {
		return nil, nil, err
	}
	query := &dynamodb.QueryInput{
		TableName:                 &in.table,
		IndexName:                 &in.name,
		KeyConditionExpression:    aws.String("#shard = :shard"),
		ExpressionAttributeNames:  map[string]string{"#shard": in.shard},
		ExpressionAttributeValues: map[string]types.AttributeValue{":shard": key},
		ScanIndexForward:          &s.ascending,
	}
	if s.where != "" {
		query.KeyConditionExpression = aws.String("#shard = :shard AND " + s.where)
		query.ExpressionAttributeNames["#score"] = AttrScore
		maps.Copy(query.ExpressionAttributeValues, s.values)
	}
	if s.n > 0 {
		query.Limit = aws.Int32(int32(min(s.n, 1000) + 1)) // one more tells whether it is level
	}
	for {
		page, err := b.Client.Query(ctx, query)
		if err != nil {
			return nil, nil, err
		}
		for _, item := range page.Items {
			total, err := readTotal(item)
			if err != nil {
				return nil, nil, err
			}
			if s.n > 0 && len(players) >= s.n && !total.Score.Equal(players[len(players)-1].Score) {
				return players, nil, nil
			}
			if s.most > 0 && len(players) >= s.n && more.Add(1) > int64(s.most) {
				return players, &total.Score, nil
			}
			players = append(players, total)
		}
		if query.ExclusiveStartKey = page.LastEvaluatedKey; query.ExclusiveStartKey == nil {
			return players, nil, nil
		}
		if query.Limit != nil { // many are level: read them in ever larger pages
			query.Limit = aws.Int32(min(2**query.Limit, 1000))
		}
	}
}
