// Package audit is a consumer of the changes of one table, which it applies to a table of its own.
package audit

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"sluice/shared/change"
	"sluice/shared/consumer"
)

// Writer applies changes to the table of template.yaml.
type Writer struct {
	client   *dynamodb.Client
	settings Settings
}

var _ consumer.Applier = (*Writer)(nil)

// New makes the consumer; it makes no calls.
func New(client *dynamodb.Client, settings Settings) (*Writer, error) {
	if err := settings.Validate(); err != nil {
		return nil, err
	}
	return &Writer{client, settings}, nil
}

// Apply keeps one change: as the same item each time that it comes, since the key is the change's identity.
func (w *Writer) Apply(ctx context.Context, c *change.Change) error {
	if c.Table != w.settings.SourceTable {
		return consumer.Skip
	}
	entry := map[string]types.AttributeValue{
		"Id":   &types.AttributeValueMemberS{Value: c.ID().String()},
		"At":   &types.AttributeValueMemberS{Value: c.Time().Format("2006-01-02T15:04:05.000000Z")},
		"Kind": &types.AttributeValueMemberS{Value: c.Kind.String()},
		"Keys": &types.AttributeValueMemberM{Value: c.Keys.AttributeValues()},
	}
	if c.Old.Exists() {
		entry["Before"] = &types.AttributeValueMemberM{Value: c.Old.AttributeValues()}
	}
	if c.New.Exists() {
		entry["After"] = &types.AttributeValueMemberM{Value: c.New.AttributeValues()}
	}
	_, err := w.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &w.settings.Table, Item: entry})
	return w.outcome(err)
}

// outcome says what DynamoDB's answer means for the change.
func (w *Writer) outcome(err error) error {
	if err == nil {
		return nil
	}
	answer, answered := errors.AsType[smithy.APIError](err)
	err = fmt.Errorf("table %s: %w", w.settings.Table, err)
	switch {
	case answered && answer.ErrorCode() == "ConditionalCheckFailedException":
		return consumer.Stale // or its own effect: the SDK repeats a call whose answer was lost
	case answered && answer.ErrorCode() == "ValidationException":
		return consumer.Reject(err) // can never be applied, such as an item that is too large
	}
	return err // comes again
}
