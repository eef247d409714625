package replica

import (
	"context"
	"encoding/binary"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/consumers/replication/mark"
)

// Attributes of a tombstone of ranked items, instead of a mark.
const (
	tombstoneRank    = "Rank"    // the value of the attribute that ranks the items: those up to it are removed
	tombstoneVersion = "Version" // which version was removed
)

// buryRank writes the tombstone of a change that removed an item unless there is one
// as great, whose rank it returns.
func (t *Table) buryRank(ctx context.Context, e *Ranked) (Rank, error) {
	row, err := t.tombstoneKey(e.Key)
	if err != nil {
		return Rank{}, err
	}
	row[tombstoneRank] = e.Rank.value()
	row[tombstoneVersion] = e.Rank.version()
	expires := time.UnixMicro(e.created).Add(t.Horizon + expirySlack)
	row[TombstoneExpiry] = &types.AttributeValueMemberN{Value: strconv.FormatInt(expires.Unix(), 10)}
	condition, values := "attribute_not_exists(#rank) OR #rank < :rank", Item{":rank": e.Rank.value()}
	if e.Rank.kind == stringRank { // above every number
		condition += " OR attribute_type(#rank, :number)"
		values[":number"] = &types.AttributeValueMemberS{Value: "N"}
	}
	_, err = t.Client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:                           &t.Tombstones,
		Item:                                row,
		ConditionExpression:                 &condition,
		ExpressionAttributeNames:            map[string]string{"#rank": tombstoneRank},
		ExpressionAttributeValues:           values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	there, refused := refusal(err)
	if !refused {
		return Rank{}, t.failed(err, "dynamodb:PutItem", t.Tombstones)
	}
	return t.rankBuried(there)
}

// buriedRank returns the rank of the item's tombstone, the zero Rank if there is none.
func (t *Table) buriedRank(ctx context.Context, key Item) (Rank, error) {
	row, err := t.tombstoneKey(key)
	if err != nil {
		return Rank{}, err
	}
	out, err := t.Client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &t.Tombstones, Key: row, ConsistentRead: aws.Bool(true)})
	if err != nil {
		return Rank{}, t.failed(err, "dynamodb:GetItem", t.Tombstones)
	}
	if _, ok := out.Item[tombstoneRank]; !ok { // none, or one that counts by another rule
		return Rank{}, nil
	}
	return t.rankBuried(out.Item)
}

func (t *Table) rankBuried(row Item) (Rank, error) {
	r, err := rankOf(row, tombstoneRank)
	version, ok := row[tombstoneVersion].(*types.AttributeValueMemberB)
	if err != nil || !ok || len(version.Value) != 8 {
		return Rank{}, fmt.Errorf("a tombstone in table %s (%s): %s, %s: %w", t.Tombstones, t.Region, tombstoneRank, tombstoneVersion, mark.ErrForeign)
	}
	r.removed, r.hash = true, binary.BigEndian.Uint64(version.Value)
	return r, nil
}
