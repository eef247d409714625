package awards

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/shopspring/decimal"

	"sluice/consumers/badges/rule"
	"sluice/shared/change"
	"sluice/shared/consumer"
)

// Store is the table of achievements and the table of players' states. It is safe for
// concurrent use.
type Store struct {
	Client       *dynamodb.Client
	Achievements string // the tables' names
	States       string
}

// The destinations are for consumer.At. A right is for one action on one table, so a table
// whose other actions work may refuse one for want of it: each action is a destination.

// Puts is the destination of Put.
func (s *Store) Puts() string { return "table " + s.Achievements }

// Updates is the destination of MarkTold, Revoke and Restore.
func (s *Store) Updates() string { return action(s.Achievements, "UpdateItem") }

// Reads is the destination of List, Each and Get.
func (s *Store) Reads() string { return action(s.Achievements, "Query") }

// StateReads is the destination of State.
func (s *Store) StateReads() string { return action(s.States, "Query") }

// StateGets is the destination of reads of one item of a state.
func (s *Store) StateGets() string { return action(s.States, "GetItem") }

func action(table, name string) string { return fmt.Sprintf("table %s (dynamodb:%s)", table, name) }

// Put stores an award unless the player has it. It returns the one that is stored then,
// and whether it was stored now.
func (s *Store) Put(ctx context.Context, a *Achievement) (stored *Achievement, now bool, err error) {
	_, err = s.Client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:                           &s.Achievements,
		Item:                                a.attributes(),
		ConditionExpression:                 aws.String("attribute_not_exists(#player)"),
		ExpressionAttributeNames:            map[string]string{"#player": AttrPlayer},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if refused, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return ReadAchievement(refused.Item), false, nil
	}
	if err != nil {
		return nil, false, consumer.RejectRefused(fmt.Errorf("store award %s of %s in %s: %w", a.Award.Key(), a.Player, s.Achievements, err))
	}
	return a, true, nil
}

// MarkTold notes that an award was told. It may be noted already.
func (s *Store) MarkTold(ctx context.Context, a *Achievement, now time.Time) error {
	return s.update(ctx, a, "SET #at = :now REMOVE #pending, #event", "attribute_exists(#pending)",
		map[string]string{"#at": attrToldAt, "#pending": attrPending, "#event": attrEventType}, now)
}

// Revoke takes an award back. Nobody is told.
func (s *Store) Revoke(ctx context.Context, a *Achievement, now time.Time) error {
	return s.update(ctx, a, "SET #at = :now", "attribute_exists(#player) AND attribute_not_exists(#at)",
		map[string]string{"#at": attrRevokedAt, "#player": AttrPlayer}, now)
}

// Restore gives a revoked award again. Nobody is told.
func (s *Store) Restore(ctx context.Context, a *Achievement) error {
	return s.update(ctx, a, "REMOVE #at", "attribute_exists(#at)", map[string]string{"#at": attrRevokedAt}, time.Time{})
}

// update changes a stored award under a condition; if that doesn't hold, it has been
// done already.
func (s *Store) update(ctx context.Context, a *Achievement, update, condition string, names map[string]string, now time.Time) error {
	in := &dynamodb.UpdateItemInput{
		TableName: &s.Achievements, Key: a.key(), UpdateExpression: &update, ConditionExpression: &condition, ExpressionAttributeNames: names,
	}
	if !now.IsZero() {
		in.ExpressionAttributeValues = map[string]types.AttributeValue{":now": text(now.UTC().Format(time.RFC3339Nano))}
	}
	_, err := s.Client.UpdateItem(ctx, in)
	if _, refused := errors.AsType[*types.ConditionalCheckFailedException](err); refused || err == nil {
		return nil
	}
	return consumer.RejectRefused(fmt.Errorf("change award %s of %s in %s: %w", a.Award.Key(), a.Player, s.Achievements, err))
}

// List returns all that a player has, also what was taken back, strongly consistent.
func (s *Store) List(ctx context.Context, player string) ([]*Achievement, error) {
	var all []*Achievement
	err := s.Each(ctx, player, func(a *Achievement) { all = append(all, a) })
	return all, err
}

// Each is List for a caller that doesn't keep all of them: there may be a million.
func (s *Store) Each(ctx context.Context, player string, yield func(*Achievement)) error {
	pages := dynamodb.NewQueryPaginator(s.Client, &dynamodb.QueryInput{
		TableName: &s.Achievements, ConsistentRead: aws.Bool(true),
		KeyConditionExpression:    aws.String("#player = :player"),
		ExpressionAttributeNames:  map[string]string{"#player": AttrPlayer},
		ExpressionAttributeValues: map[string]types.AttributeValue{":player": text(player)},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return consumer.RejectRefused(fmt.Errorf("read the awards of %s in %s: %w", player, s.Achievements, err))
		}
		for _, item := range page.Items {
			yield(ReadAchievement(item))
		}
	}
	return nil
}

// Get returns an award of a player by its key, strongly consistent; nil if there is none.
func (s *Store) Get(ctx context.Context, player, key string) (*Achievement, error) {
	out, err := s.Client.Query(ctx, &dynamodb.QueryInput{
		TableName: &s.Achievements, ConsistentRead: aws.Bool(true),
		KeyConditionExpression:    aws.String("#player = :player AND #award = :award"),
		ExpressionAttributeNames:  map[string]string{"#player": AttrPlayer, "#award": AttrAward},
		ExpressionAttributeValues: map[string]types.AttributeValue{":player": text(player), ":award": text(key)},
	})
	if err != nil {
		return nil, consumer.RejectRefused(fmt.Errorf("read award %s of %s in %s: %w", key, player, s.Achievements, err))
	}
	if len(out.Items) == 0 {
		return nil, nil
	}
	return ReadAchievement(out.Items[0]), nil
}

// State returns the items of a player's state from one AttrOf to another, strongly
// consistent; empty bounds: all. It reads no further once what it has read is enough; a nil enough: nothing is.
func (s *Store) State(ctx context.Context, player, from, to string, enough func(rule.State) bool) (rule.State, error) {
	query := &dynamodb.QueryInput{
		TableName: &s.States, ConsistentRead: aws.Bool(true),
		KeyConditionExpression:    aws.String("#player = :player"),
		ExpressionAttributeNames:  map[string]string{"#player": AttrPlayer},
		ExpressionAttributeValues: map[string]types.AttributeValue{":player": text(player)},
	}
	if from != "" {
		query.KeyConditionExpression = aws.String("#player = :player AND #of BETWEEN :from AND :to")
		query.ExpressionAttributeNames["#of"] = rule.AttrOf
		query.ExpressionAttributeValues[":from"], query.ExpressionAttributeValues[":to"] = text(from), text(to)
	}
	state := rule.State{}
	pages := dynamodb.NewQueryPaginator(s.Client, query)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, consumer.RejectRefused(fmt.Errorf("read the state of %s in %s: %w", player, s.States, err))
		}
		for _, item := range page.Items {
			state[change.TextOf(item[rule.AttrOf])] = Tallies(item)
		}
		if enough != nil && enough(state) {
			break
		}
	}
	return state, nil
}

// Tallies returns the numbers of an item of the state.
func Tallies(item map[string]types.AttributeValue) map[string]decimal.Decimal {
	numbers := map[string]decimal.Decimal{}
	for name, v := range item {
		if n, ok := v.(*types.AttributeValueMemberN); ok {
			if number, err := decimal.NewFromString(n.Value); err == nil {
				numbers[name] = number
			}
		}
	}
	return numbers
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
