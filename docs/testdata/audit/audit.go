// Package audit is a consumer of the changes of one table, which it applies to a table of its own.
package audit

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/probe"
)

// Writer applies changes to the table of template.yaml.
type Writer struct {
	client   *dynamodb.Client
	settings Settings
}

var (
	_ consumer.Applier = (*Writer)(nil)
	_ consumer.Prober  = (*Writer)(nil)
)

// New makes the consumer; it makes no calls.
func New(cfg aws.Config, settings Settings) (*Writer, error) {
	if err := settings.Validate(); err != nil {
		return nil, err
	}
	return &Writer{dynamodb.NewFromConfig(cfg), settings}, nil
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

// Probe returns a function that asks whether the table takes what Apply writes, and changes nothing. Without it, a change
// that can't be written, and is alone in its batch, looks like a table that is down. See consumer.Prober.
func (w *Writer) Probe(string) func(context.Context) error {
	return probe.Table{Client: w.client, Name: w.settings.Table, Key: probe.Key("Id")}.PutItem
}

// outcome says what DynamoDB's answer means for the change.
func (w *Writer) outcome(err error) error {
	if err == nil {
		return nil
	}
	if _, refused := errors.AsType[*types.ConditionalCheckFailedException](err); refused {
		return consumer.Stale // or its own effect: the SDK repeats a call whose answer was lost
	}
	// What the table will never take, such as an item that is too large, becomes a dead letter. All else comes again.
	return consumer.RejectRefused(fmt.Errorf("table %s: %w", w.settings.Table, err))
}
