package boards

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/shopspring/decimal"
	"golang.org/x/sync/errgroup"
)

// order is the index that orders a board's entries, in each shard, and the number by which it does.
type order struct{ index, number string }

// order returns the index of the board. It is looked up once: in the table's description, by its keys.
func (b *Board) order(ctx context.Context) (order, error) {
	b.finding.Lock()
	defer b.finding.Unlock()
	if b.found != (order{}) {
		return b.found, nil
	}
	out, err := b.client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &b.Table})
	if err != nil {
		return order{}, fmt.Errorf("look for the index of view %s in table %s: %w", b.View.Name, b.Table, err)
	}
	var found []order
	for _, index := range out.Table.GlobalSecondaryIndexes {
		if len(index.KeySchema) != 2 || aws.ToString(index.KeySchema[0].AttributeName) != b.Shard {
			continue
		}
		if number := aws.ToString(index.KeySchema[1].AttributeName); slices.Contains(b.Numbers, number) {
			found = append(found, order{aws.ToString(index.IndexName), number})
		}
	}
	if len(found) != 1 {
		fault := &IndexError{View: b.View.Name, Table: b.Table, Shard: b.Shard, Numbers: b.Numbers}
		for _, o := range found {
			fault.Found = append(fault.Found, o.index)
		}
		return order{}, fault
	}
	b.found = found[0]
	return b.found, nil
}

// stretch says which entries of an index are read, and from which end.
type stretch struct {
	box       string
	where     string // a condition on #number; empty: all
	values    map[string]types.AttributeValue
	ascending bool // lowest number first
	n         int  // so many of each shard and all that are level with the last of them; 0: all
	most      int  // how many more than these n are read, over all shards, before giving up; 0: all
}

// read asks all shards side by side for a stretch of the index and returns its
// entries in the order of the board. The index doesn't order those with the same
// number, so they are read all or not at all: if there are too many, cut is the
// number from which on they are missing, seen from the end where reading began.
func (b *Board) read(ctx context.Context, s stretch) (entries []Entry, cut *decimal.Decimal, err error) {
	in, err := b.order(ctx)
	if err != nil {
		return nil, nil, err
	}
	shards := make([][]Entry, b.Shards())
	cuts := make([]*decimal.Decimal, b.Shards())
	var more atomic.Int64 // entries read beyond the n of their shards
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
	entries = slices.Concat(shards...)
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
		entries = slices.DeleteFunc(entries, func(e Entry) bool { return beyond(e.Number, *cut) })
	}
	slices.SortFunc(entries, Entry.Compare)
	return entries, cut, nil
}

// readShard is read for one shard.
func (b *Board) readShard(ctx context.Context, in order, shard int, s stretch, more *atomic.Int64) (entries []Entry, cut *decimal.Decimal, err error) {
	partition, err := b.Partition(s.box, shard)
	if err != nil {
		return nil, nil, err
	}
	query := &dynamodb.QueryInput{
		TableName:                 &b.Table,
		IndexName:                 &in.index,
		KeyConditionExpression:    aws.String("#shard = :shard"),
		ExpressionAttributeNames:  map[string]string{"#shard": b.Shard},
		ExpressionAttributeValues: map[string]types.AttributeValue{":shard": partition},
		ScanIndexForward:          &s.ascending,
	}
	if s.where != "" {
		query.KeyConditionExpression = aws.String("#shard = :shard AND " + s.where)
		query.ExpressionAttributeNames["#number"] = in.number
		maps.Copy(query.ExpressionAttributeValues, s.values)
	}
	if s.n > 0 {
		query.Limit = aws.Int32(int32(min(s.n, 1000) + 1)) // one more tells whether it is level
	}
	for {
		page, err := b.client.Query(ctx, query)
		if err != nil {
			return nil, nil, err
		}
		for _, item := range page.Items {
			e, ours, err := b.entry(item, in.number)
			if err != nil {
				return nil, nil, err
			}
			if !ours {
				continue // of another view, in the same table and partition
			}
			if s.n > 0 && len(entries) >= s.n && !e.Number.Equal(entries[len(entries)-1].Number) {
				return entries, nil, nil
			}
			if s.most > 0 && len(entries) >= s.n && more.Add(1) > int64(s.most) {
				return entries, &e.Number, nil
			}
			entries = append(entries, e)
		}
		if query.ExclusiveStartKey = page.LastEvaluatedKey; query.ExclusiveStartKey == nil {
			return entries, nil, nil
		}
		if query.Limit != nil { // many are level: read them in ever larger pages
			query.Limit = aws.Int32(min(2**query.Limit, 1000))
		}
	}
}
