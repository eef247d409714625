package store

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/consumers/replication/mark"
	"sluice/shared/change"
)

// Attributes of a tombstone. Each protocol adds its own.
const (
	// TombstoneKey names the item: its table and key attributes in their
	// canonical form (change.ItemKey), or a hash of that where it is too long.
	TombstoneKey = "Item"
	// TombstoneExpiry is when the tombstone isn't needed any more, in seconds.
	TombstoneExpiry = "ExpiresAt"
	tombstoneMark   = "Mark"
)

const noneOrOlder = "attribute_not_exists(#mark) OR #mark < :mark"

// maxTombstoneKey is how long a partition key may be, less a byte for what kind
// of name it is.
const maxTombstoneKey = 2048 - 1

// The kinds of names.
const (
	plainName  = 0
	hashedName = 1
)

// expirySlack keeps tombstones a while longer than the horizon, so that clocks
// may differ.
const expirySlack = 24 * time.Hour

// tombstoneKey returns the key of an item's tombstone.
func (t *Table) tombstoneKey(key Item) (Item, error) {
	name, err := change.ItemKey(t.Name, key)
	if err != nil {
		return nil, err
	}
	b := append([]byte{plainName}, name...)
	if len(name) > maxTombstoneKey {
		sum := sha256.Sum256([]byte(name))
		b = append([]byte{hashedName}, sum[:]...)
	}
	return Item{TombstoneKey: &types.AttributeValueMemberB{Value: b}}, nil
}

// nameOf returns the item that a tombstone, or its key, is of.
func nameOf(row Item) string {
	name, _ := row[TombstoneKey].(*types.AttributeValueMemberB) // its type is checked (Check)
	if name == nil {
		return ""
	}
	return string(name.Value)
}

// expiry is when a row can be forgotten that tells of something written at a time.
func (t *Table) expiry(written time.Time) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(written.Add(t.Horizon+expirySlack).Unix(), 10)}
}

// PutTombstone writes the tombstone of an item, removed at a time in microseconds, with
// more attributes, if the condition holds. If the put is refused, it returns the tombstone
// that is there.
func (t *Table) PutTombstone(ctx context.Context, key Item, µs int64, more Item, c Condition) (there Item, refused bool, err error) {
	row, err := t.tombstoneKey(key)
	if err != nil {
		return nil, false, err
	}
	maps.Copy(row, more)
	row[TombstoneExpiry] = t.expiry(time.UnixMicro(µs))
	_, err = t.Client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:                           &t.Tombstones,
		Item:                                row,
		ConditionExpression:                 &c.Text,
		ExpressionAttributeNames:            c.Names,
		ExpressionAttributeValues:           c.Values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if there, refused := refusal(err); refused {
		return there, true, nil
	}
	return nil, false, t.failed(err, "dynamodb:PutItem", t.Tombstones)
}

// Tombstone reads the item's tombstone, strongly consistent; nil if there is none.
func (t *Table) Tombstone(ctx context.Context, key Item) (Item, error) {
	row, err := t.tombstoneKey(key)
	if err != nil {
		return nil, err
	}
	return t.get(ctx, t.Tombstones, row)
}

// MaxLookUps is how many items a request may ask for:
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
const MaxLookUps = 100

// LookUpTombstones reads the tombstones of up to MaxLookUps different items with one request,
// by the items' places in keys; nil: there is none. What DynamoDB leaves out of its answer
// isn't in the map.
func (t *Table) LookUpTombstones(ctx context.Context, keys []Item) (map[int]Item, error) {
	named := map[string]Item{}
	var rows []Item
	for _, key := range keys {
		row, err := t.tombstoneKey(key)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
		named[nameOf(row)] = nil
	}
	out, err := t.Client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
		RequestItems: map[string]types.KeysAndAttributes{t.Tombstones: {Keys: rows, ConsistentRead: aws.Bool(true)}},
	})
	if err != nil {
		return nil, t.failed(err, "dynamodb:BatchGetItem", t.Tombstones)
	}
	for _, row := range out.Responses[t.Tombstones] {
		named[nameOf(row)] = row
	}
	for _, row := range out.UnprocessedKeys[t.Tombstones].Keys { // throttled, which says nothing of the row
		delete(named, nameOf(row))
	}
	found := map[int]Item{}
	for n, row := range rows {
		if tombstone, ok := named[nameOf(row)]; ok {
			found[n] = tombstone
		}
	}
	return found, nil
}

// Bury writes the item's tombstone with a mark and more attributes, unless there is a newer
// one. It returns the mark of the one that was there if it was not older, which then stays.
func (t *Table) Bury(ctx context.Context, key Item, m mark.Mark, more Item) (mark.Mark, error) {
	attributes := Item{tombstoneMark: m.Value()}
	maps.Copy(attributes, more)
	there, refused, err := t.PutTombstone(ctx, key, m.Created(), attributes,
		Condition{noneOrOlder, map[string]string{"#mark": tombstoneMark}, Item{":mark": m.Value()}})
	if err != nil || !refused {
		return "", err
	}
	return t.TombstoneMark(there)
}

// Buried returns the mark of the item's tombstone and the tombstone, both empty if there is none.
func (t *Table) Buried(ctx context.Context, key Item) (mark.Mark, Item, error) {
	tombstone, err := t.Tombstone(ctx, key)
	if err != nil {
		return "", nil, err
	}
	m, err := t.TombstoneMark(tombstone)
	return m, tombstone, err
}

// TombstoneMark returns the mark that a tombstone has, the empty one if there is none.
func (t *Table) TombstoneMark(tombstone Item) (mark.Mark, error) {
	if tombstone == nil {
		return "", nil
	}
	m, err := mark.FromValue(tombstone[tombstoneMark])
	if err != nil {
		return "", t.TombstoneFault(tombstoneMark, err)
	}
	return m, nil
}

// TombstoneFault is the error for attributes of a tombstone that can't be read.
func (t *Table) TombstoneFault(attributes string, err error) error {
	return fmt.Errorf("a tombstone in table %s (%s): %s: %w", t.Tombstones, t.Region, attributes, err)
}
