package leaderboard

import (
	"context"
	"encoding/hex"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/gametest"
	"sluice/shared/keeper"
	"sluice/shared/view"
)

// contender is a way to keep the board of totals.
type contender struct {
	name string
	make func(b *testing.B, w *world) consumer.Consumer
}

var (
	sluice = contender{"sluice", func(b *testing.B, w *world) consumer.Consumer { return w.keeping(b, "leaderboard") }}
	// What most handlers do: an update for each change, which counts a duplicate twice.
	plain = contender{"plain-add", func(_ *testing.B, w *world) consumer.Consumer {
		return &plainAdd{dynamodb.NewFromConfig(w.config)}
	}}
	// What a careful one does.
	ledgerRow = contender{"ledger-row", func(_ *testing.B, w *world) consumer.Consumer {
		return &ledgerAndAdd{dynamodb.NewFromConfig(w.config), w.ledger}
	}}
	threeBoards = contender{"sluice-three-boards", func(b *testing.B, w *world) consumer.Consumer {
		return w.keeping(b, "leaderboard", "daily", "weekly")
	}}
)

// keeping is this consumer with the shipped views of these names.
func (w *world) keeping(b *testing.B, names ...string) *keeper.Keeper {
	b.Helper()
	settings := DefaultSettings()
	settings.LedgerTable = w.ledger
	var views []*view.View
	for _, name := range names {
		v, err := View(gametest.Declarations(), name)
		if err != nil {
			b.Fatal(err)
		}
		views = append(views, v)
	}
	k := keeper.New(dynamodb.NewFromConfig(w.config), views, settings.LedgerTable, settings.Horizon)
	k.Now = func() time.Time { return consumertest.Arrival }
	return k
}

// ledgerAndAdd makes the plain ADD exact in the usual way: a transaction for each
// change, of the update and a row with the change's id that must not be there yet.
// One at a time, since two transactions on one item are in each other's way.
type ledgerAndAdd struct {
	client *dynamodb.Client
	ledger string
}

func (l *ledgerAndAdd) ApplyBatch(ctx context.Context, batch []*change.Change) []error {
	errs := make([]error, len(batch))
	for i, c := range batch {
		errs[i] = l.apply(ctx, c)
	}
	return errs
}

func (l *ledgerAndAdd) apply(ctx context.Context, c *change.Change) error {
	user, err := c.Keys.String(gametest.AttrUser)
	if err != nil {
		return consumer.Reject(err)
	}
	score, err := c.New.Number(gametest.AttrScore)
	if err != nil {
		return consumer.Reject(err)
	}
	id, add := c.ID(), plainAddition(user, score)
	_, err = l.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Put: &types.Put{
			TableName: &l.ledger,
			Item: map[string]types.AttributeValue{
				"Group":     &types.AttributeValueMemberS{Value: user},
				"Entry":     &types.AttributeValueMemberS{Value: hex.EncodeToString(id[:])},
				"ExpiresAt": &types.AttributeValueMemberN{Value: strconv.FormatInt(c.Time().Add(DefaultHorizon).Unix(), 10)},
			},
			ConditionExpression:      aws.String("attribute_not_exists(#entry)"),
			ExpressionAttributeNames: map[string]string{"#entry": "Entry"},
		}},
		{Update: &types.Update{
			TableName: add.TableName, Key: add.Key, UpdateExpression: add.UpdateExpression,
			ExpressionAttributeNames: add.ExpressionAttributeNames, ExpressionAttributeValues: add.ExpressionAttributeValues,
		}},
	}})
	if canceled, ok := errors.AsType[*types.TransactionCanceledException](err); ok && aws.ToString(canceled.CancellationReasons[0].Code) == "ConditionalCheckFailed" {
		return consumer.Duplicate
	}
	return err
}
