// Package probe asks DynamoDB tables whether they take the calls that a consumer
// makes, for its Prober.
//
// # Guarantees
//
//   - A probe changes nothing: its condition holds for no item (TestProbes).
//   - It needs the right of the very call that it stands for, and the same keys of KMS and units.
//     So nil means that such a call would be answered now (TestProbes).
//   - Throttling, time-outs, missing rights and missing tables are errors (TestProbes).
//
// # Not guaranteed
//
//   - Whether the partition of a certain item takes writes.
package probe

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Text is the value of a text attribute in a probe's key.
const Text = "//sluice-probe"

// Key returns a probe's key with these attributes of type S.
func Key(attributes ...string) map[string]types.AttributeValue {
	key := map[string]types.AttributeValue{}
	for _, name := range attributes {
		key[name] = &types.AttributeValueMemberS{Value: Text}
	}
	return key
}

// Table is a table that is asked, with a key that it could have.
type Table struct {
	Client *dynamodb.Client
	Name   string
	Key    map[string]types.AttributeValue
}

// never is a condition that holds for no item.
const never = "attribute_exists(#never) AND attribute_not_exists(#never)"

var names = map[string]string{"#never": "sluice-probe"}

// UpdateItem asks for an update.
func (t Table) UpdateItem(ctx context.Context) error {
	_, err := t.Client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &t.Name, Key: t.Key, ConditionExpression: aws.String(never), ExpressionAttributeNames: names,
	})
	return t.judge("UpdateItem", err)
}

// PutItem asks for a put.
func (t Table) PutItem(ctx context.Context) error {
	_, err := t.Client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &t.Name, Item: t.Key, ConditionExpression: aws.String(never), ExpressionAttributeNames: names,
	})
	return t.judge("PutItem", err)
}

// DeleteItem asks for a deletion.
func (t Table) DeleteItem(ctx context.Context) error {
	_, err := t.Client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &t.Name, Key: t.Key, ConditionExpression: aws.String(never), ExpressionAttributeNames: names,
	})
	return t.judge("DeleteItem", err)
}

// GetItem asks for a strongly consistent read.
func (t Table) GetItem(ctx context.Context) error {
	_, err := t.Client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &t.Name, Key: t.Key, ConsistentRead: aws.Bool(true)})
	return t.judge("GetItem", err)
}

// Query asks for a strongly consistent query of the partition in the key's attribute.
func (t Table) Query(ctx context.Context, partition string) error {
	_, err := t.Client.Query(ctx, &dynamodb.QueryInput{
		TableName: &t.Name, ConsistentRead: aws.Bool(true), Limit: aws.Int32(1),
		KeyConditionExpression:    aws.String("#partition = :partition"),
		ExpressionAttributeNames:  map[string]string{"#partition": partition},
		ExpressionAttributeValues: map[string]types.AttributeValue{":partition": t.Key[partition]},
	})
	return t.judge("Query", err)
}

// UpdateAndPut asks for a transaction that updates t and puts an item into other.
func (t Table) UpdateAndPut(ctx context.Context, other Table) error {
	_, err := t.Client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		// An update in a transaction needs an expression.
		{Update: &types.Update{
			TableName: &t.Name, Key: t.Key, ConditionExpression: aws.String(never), ExpressionAttributeNames: names,
			UpdateExpression: aws.String("REMOVE #never"),
		}},
		{Put: &types.Put{TableName: &other.Name, Item: other.Key, ConditionExpression: aws.String(never), ExpressionAttributeNames: names}},
	}})
	canceled, ok := errors.AsType[*types.TransactionCanceledException](err)
	if !ok {
		return t.judge("TransactWriteItems", err)
	}
	for _, reason := range canceled.CancellationReasons {
		if aws.ToString(reason.Code) != "ConditionalCheckFailed" && aws.ToString(reason.Code) != "None" {
			return t.judge("TransactWriteItems", err)
		}
	}
	return nil
}

// judge returns nil if the table answered as it does while it works.
func (t Table) judge(call string, err error) error {
	if _, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok || err == nil {
		return nil
	}
	return fmt.Errorf("probe table %s with dynamodb:%s: %w", t.Name, call, err)
}
