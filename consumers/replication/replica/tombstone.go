package replica

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/consumers/replication/mark"
	"sluice/shared/change"
)

// Attributes of a tombstone.
const (
	// TombstoneKey names the item: its table and key attributes in their
	// canonical form (change.ItemKey), or a hash of that where it is too long.
	TombstoneKey = "Item"
	// TombstoneExpiry is when the tombstone isn't needed any more, in seconds.
	TombstoneExpiry = "ExpiresAt"
	tombstoneMark   = "Mark"
	// tombstoneHistory is only there where replication goes both ways.
	tombstoneHistory = "History"
)

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

// bury writes the item's tombstone unless there is a newer one, and returns the
// mark of the one that was there if it was not older, which then stays.
func (t *Table) bury(ctx context.Context, key Item, m mark.Mark) (mark.Mark, error) {
	return t.buryWith(ctx, key, m, nil)
}

// buryWith is bury with what the change that removed the item was made in
// knowledge of.
func (t *Table) buryWith(ctx context.Context, key Item, m mark.Mark, history History) (mark.Mark, error) {
	row, err := t.tombstoneKey(key)
	if err != nil {
		return "", err
	}
	expires := time.UnixMicro(m.Created()).Add(t.Horizon + expirySlack)
	row[tombstoneMark] = m.Value()
	row[TombstoneExpiry] = &types.AttributeValueMemberN{Value: strconv.FormatInt(expires.Unix(), 10)}
	if len(history) > 0 {
		row[tombstoneHistory] = history.value()
	}
	_, err = t.Client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:                           &t.Tombstones,
		Item:                                row,
		ConditionExpression:                 aws.String(noneOrOlder),
		ExpressionAttributeNames:            map[string]string{"#mark": tombstoneMark},
		ExpressionAttributeValues:           Item{":mark": m.Value()},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	there, refused := refusal(err)
	if !refused {
		return "", t.failed(err, "dynamodb:PutItem", t.Tombstones)
	}
	return t.markOf(there)
}

// tombstone returns the mark of the item's tombstone, empty if there is none.
func (t *Table) tombstone(ctx context.Context, key Item) (mark.Mark, error) {
	m, _, err := t.buried(ctx, key)
	return m, err
}

// buried returns the mark and the history of the item's tombstone, empty if there
// is none.
func (t *Table) buried(ctx context.Context, key Item) (mark.Mark, History, error) {
	row, err := t.tombstoneKey(key)
	if err != nil {
		return "", nil, err
	}
	out, err := t.Client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      &t.Tombstones,
		Key:            row,
		ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return "", nil, t.failed(err, "dynamodb:GetItem", t.Tombstones)
	}
	if out.Item == nil {
		return "", nil, nil
	}
	m, err := t.markOf(out.Item)
	if err != nil {
		return "", nil, err
	}
	history, err := historyOf(out.Item[tombstoneHistory])
	if err != nil {
		return "", nil, fmt.Errorf("a tombstone in table %s (%s): %s: %w", t.Tombstones, t.Region, tombstoneHistory, err)
	}
	return m, history, nil
}

func (t *Table) markOf(tombstone Item) (mark.Mark, error) {
	m, err := mark.FromValue(tombstone[tombstoneMark])
	if err != nil {
		return "", fmt.Errorf("a tombstone in table %s (%s): %s: %w", t.Tombstones, t.Region, tombstoneMark, err)
	}
	return m, nil
}
