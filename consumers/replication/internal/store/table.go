package store

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/consumers/replication/mark"
	"sluice/shared/consumer"
)

// Item is an item, or its key attributes alone, as the SDK has it.
type Item = map[string]types.AttributeValue

// Table is a table that replication writes to, with its tombstones. It is safe for
// concurrent use, also by several processes on the same tables.
type Table struct {
	Client *dynamodb.Client // in the table's region
	Region string           // its name, for errors
	Name   string
	// Tombstones is the table, in the same region, that remembers removed items:
	// key Item (B), time to live in ExpiresAt. Several tables may share one.
	Tombstones string
	// Horizon is how long a tombstone is remembered after its change's creation.
	Horizon time.Duration
	Now     func() time.Time

	// Ties counts how often a change met another one of its item that was made at
	// the same time, so that only a hash decided which of them stays.
	Ties atomic.Int64
}

// MaxTries bounds how often a protocol tries to write an item that others write all the time.
const MaxTries = 50

// Get reads an item, strongly consistent; nil if it isn't there.
func (t *Table) Get(ctx context.Context, key Item) (Item, error) { return t.get(ctx, t.Name, key) }

// get reads an item of one of the region's tables.
func (t *Table) get(ctx context.Context, table string, key Item) (Item, error) {
	out, err := t.Client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &table, Key: key, ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, t.failed(err, "dynamodb:GetItem", table)
	}
	return out.Item, nil
}

// Replace puts an item if the condition holds, and returns what was there. If the put is
// refused, it returns what is there.
func (t *Table) Replace(ctx context.Context, item Item, c Condition) (held Item, refused bool, err error) {
	out, err := t.Client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:                           &t.Name,
		Item:                                item,
		ConditionExpression:                 &c.Text,
		ExpressionAttributeNames:            c.Names,
		ExpressionAttributeValues:           c.Values,
		ReturnValues:                        types.ReturnValueAllOld,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if held, refused := refusal(err); refused {
		return held, true, nil
	}
	if err != nil {
		return nil, false, t.putFailed(err, item)
	}
	return out.Attributes, false, nil
}

// SetReserved sets an item's attribute mark.Attribute if the condition holds, and nothing
// else of the item. If the update is refused, SetReserved returns what is there.
func (t *Table) SetReserved(ctx context.Context, key Item, value types.AttributeValue, c Condition) (held Item, refused bool, err error) {
	if c.Values == nil {
		c.Values = Item{}
	}
	c.Names["#sluice"], c.Values[":reserved"] = mark.Attribute, value
	_, err = t.Client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                           &t.Name,
		Key:                                 key,
		UpdateExpression:                    aws.String("SET #sluice = :reserved"),
		ConditionExpression:                 &c.Text,
		ExpressionAttributeNames:            c.Names,
		ExpressionAttributeValues:           c.Values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if held, refused := refusal(err); refused {
		return held, true, nil
	}
	return nil, false, t.failed(err, "dynamodb:UpdateItem", t.Name)
}

// Delete deletes an item if the condition holds, and returns of it what is asked for. If the delete is refused, Delete returns
// what is there.
func (t *Table) Delete(ctx context.Context, key Item, c Condition, returned types.ReturnValue) (held Item, refused bool, err error) {
	out, err := t.Client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName:                           &t.Name,
		Key:                                 key,
		ConditionExpression:                 &c.Text,
		ExpressionAttributeNames:            c.Names,
		ExpressionAttributeValues:           c.Values,
		ReturnValues:                        returned,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if held, refused := refusal(err); refused {
		return held, true, nil
	}
	if err != nil {
		return nil, false, t.failed(err, "dynamodb:DeleteItem", t.Name)
	}
	return out.Attributes, false, nil
}

// Admit rejects a change, created at a time in microseconds, that is so old that its
// item's tombstone may be forgotten.
func (t *Table) Admit(µs int64) error {
	created := time.UnixMicro(µs).UTC()
	if created.Before(t.Now().Add(-t.Horizon)) {
		return consumer.RejectFor(consumer.TooOld, fmt.Errorf(
			"created %s, before the horizon of %v: whether the item was removed since is no longer known; compare source and replica with sluice verify replication",
			created.Format(time.RFC3339), t.Horizon))
	}
	return nil
}

// NoteTie counts a tie if two marks are of different changes at one time.
func (t *Table) NoteTie(m, other mark.Mark) {
	if m.Ties(other) {
		t.Ties.Add(1)
	}
}

// refusal returns the item that kept a condition from holding, and whether err
// is such a refusal.
func refusal(err error) (Item, bool) {
	refused, ok := errors.AsType[*types.ConditionalCheckFailedException](err)
	if !ok {
		return nil, false
	}
	return refused.Item, true
}
