package badges

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
	"sluice/shared/consumer"
)

// Attributes of an achievement. Its key is the player and the award's key.
const (
	attrPlayer    = rule.AttrPlayer
	attrAward     = "Award"
	attrBadge     = "Badge"
	attrLevel     = "Level"
	attrOf        = "AwardOf"
	attrEarnedAt  = "EarnedAt"  // the play's time, or the day that completed it
	attrAwardedAt = "AwardedAt" // by the clock
	attrPending   = "Pending"   // the notice that has yet to be told
	attrToldAt    = "ToldAt"
	attrRevokedAt = "RevokedAt" // its plays were corrected
)

// Achievement is a badge that a player has, as the table holds it.
type Achievement struct {
	Player    string
	Award     rule.Award
	EarnedAt  string // RFC 3339, or a date for rules of days
	AwardedAt string
	ToldAt    string // empty: not yet, or to nobody
	RevokedAt string // empty: it stands
	// Pending is the message that has yet to be told, as JSON; empty: none.
	Pending string
	// EventType is that of the pending message.
	EventType string
}

const attrEventType = "EventType"

// Table is the table of achievements with the players' states beside it. It is safe for
// concurrent use.
type Table struct {
	Client *dynamodb.Client
	Name   string
	State  string // name of the table of states
}

// The destinations, for consumer.At. A right is for one action on one table, so a table
// whose other actions work may refuse one for want of it: each action is a destination.
func (t *Table) puts() string       { return "table " + t.Name }
func (t *Table) updates() string    { return action(t.Name, "UpdateItem") }
func (t *Table) reads() string      { return action(t.Name, "Query") }
func (t *Table) stateReads() string { return action(t.State, "Query") }
func (t *Table) stateGets() string  { return action(t.State, "GetItem") }

func action(table, name string) string { return fmt.Sprintf("table %s (dynamodb:%s)", table, name) }

// put stores an award unless the player has it. It returns the one that is stored then,
// and whether it was stored now.
func (t *Table) put(ctx context.Context, a *Achievement) (stored *Achievement, now bool, err error) {
	_, err = t.Client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:                           &t.Name,
		Item:                                a.attributes(),
		ConditionExpression:                 aws.String("attribute_not_exists(#player)"),
		ExpressionAttributeNames:            map[string]string{"#player": attrPlayer},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if refused, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return readAchievement(refused.Item), false, nil
	}
	if err != nil {
		return nil, false, consumer.RejectRefused(fmt.Errorf("store award %s of %s in %s: %w", a.Award.Key(), a.Player, t.Name, err))
	}
	return a, true, nil
}

// markTold notes that an award was told. It may be noted already.
func (t *Table) markTold(ctx context.Context, a *Achievement, now time.Time) error {
	return t.update(ctx, a, "SET #at = :now REMOVE #pending, #event", "attribute_exists(#pending)",
		map[string]string{"#at": attrToldAt, "#pending": attrPending, "#event": attrEventType}, now)
}

// revoke takes an award back, and restore gives it again; neither is told.
func (t *Table) revoke(ctx context.Context, a *Achievement, now time.Time) error {
	return t.update(ctx, a, "SET #at = :now", "attribute_exists(#player) AND attribute_not_exists(#at)",
		map[string]string{"#at": attrRevokedAt, "#player": attrPlayer}, now)
}

func (t *Table) restore(ctx context.Context, a *Achievement) error {
	return t.update(ctx, a, "REMOVE #at", "attribute_exists(#at)", map[string]string{"#at": attrRevokedAt}, time.Time{})
}

// update changes a stored award under a condition; if that doesn't hold, it has been
// done already.
func (t *Table) update(ctx context.Context, a *Achievement, update, condition string, names map[string]string, now time.Time) error {
	in := &dynamodb.UpdateItemInput{
		TableName: &t.Name, Key: a.key(), UpdateExpression: &update, ConditionExpression: &condition, ExpressionAttributeNames: names,
	}
	if !now.IsZero() {
		in.ExpressionAttributeValues = map[string]types.AttributeValue{":now": text(now.UTC().Format(time.RFC3339Nano))}
	}
	_, err := t.Client.UpdateItem(ctx, in)
	if _, refused := errors.AsType[*types.ConditionalCheckFailedException](err); refused || err == nil {
		return nil
	}
	return consumer.RejectRefused(fmt.Errorf("change award %s of %s in %s: %w", a.Award.Key(), a.Player, t.Name, err))
}

// Of returns all that a player has, also what was taken back, strongly consistent.
func (t *Table) Of(ctx context.Context, player string) ([]*Achievement, error) {
	var all []*Achievement
	err := t.eachOf(ctx, player, func(a *Achievement) { all = append(all, a) })
	return all, err
}

// eachOf is Of for a caller that doesn't keep all of them: there may be a million.
func (t *Table) eachOf(ctx context.Context, player string, yield func(*Achievement)) error {
	pages := dynamodb.NewQueryPaginator(t.Client, &dynamodb.QueryInput{
		TableName: &t.Name, ConsistentRead: aws.Bool(true),
		KeyConditionExpression:    aws.String("#player = :player"),
		ExpressionAttributeNames:  map[string]string{"#player": attrPlayer},
		ExpressionAttributeValues: map[string]types.AttributeValue{":player": text(player)},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return consumer.RejectRefused(fmt.Errorf("read the awards of %s in %s: %w", player, t.Name, err))
		}
		for _, item := range page.Items {
			yield(readAchievement(item))
		}
	}
	return nil
}

// one returns an award of a player by its key, strongly consistent; nil if there is none.
func (t *Table) one(ctx context.Context, player, key string) (*Achievement, error) {
	out, err := t.Client.Query(ctx, &dynamodb.QueryInput{
		TableName: &t.Name, ConsistentRead: aws.Bool(true),
		KeyConditionExpression:    aws.String("#player = :player AND #award = :award"),
		ExpressionAttributeNames:  map[string]string{"#player": attrPlayer, "#award": attrAward},
		ExpressionAttributeValues: map[string]types.AttributeValue{":player": text(player), ":award": text(key)},
	})
	if err != nil {
		return nil, consumer.RejectRefused(fmt.Errorf("read award %s of %s in %s: %w", key, player, t.Name, err))
	}
	if len(out.Items) == 0 {
		return nil, nil
	}
	return readAchievement(out.Items[0]), nil
}

// StateOf returns the items of a player's state from one AttrOf to another, strongly
// consistent; empty bounds: all.
func (t *Table) StateOf(ctx context.Context, player, from, to string) (rule.State, error) {
	return t.stateUntil(ctx, player, from, to, func(rule.State) bool { return false })
}

// stateUntil is StateOf that reads no further once what it has read is enough.
func (t *Table) stateUntil(ctx context.Context, player, from, to string, enough func(rule.State) bool) (rule.State, error) {
	query := &dynamodb.QueryInput{
		TableName: &t.State, ConsistentRead: aws.Bool(true),
		KeyConditionExpression:    aws.String("#player = :player"),
		ExpressionAttributeNames:  map[string]string{"#player": attrPlayer},
		ExpressionAttributeValues: map[string]types.AttributeValue{":player": text(player)},
	}
	if from != "" {
		query.KeyConditionExpression = aws.String("#player = :player AND #of BETWEEN :from AND :to")
		query.ExpressionAttributeNames["#of"] = rule.AttrOf
		query.ExpressionAttributeValues[":from"], query.ExpressionAttributeValues[":to"] = text(from), text(to)
	}
	state := rule.State{}
	pages := dynamodb.NewQueryPaginator(t.Client, query)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, consumer.RejectRefused(fmt.Errorf("read the state of %s in %s: %w", player, t.State, err))
		}
		for _, item := range page.Items {
			state[textOf(item[rule.AttrOf])] = tallies(item)
		}
		if enough(state) {
			break
		}
	}
	return state, nil
}

// tallies returns the numbers of an item of the state.
func tallies(item map[string]types.AttributeValue) map[string]decimal.Decimal {
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

func textOf(v types.AttributeValue) string {
	if s, ok := v.(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

func (a *Achievement) key() map[string]types.AttributeValue {
	return map[string]types.AttributeValue{attrPlayer: text(a.Player), attrAward: text(a.Award.Key())}
}

func (a *Achievement) attributes() map[string]types.AttributeValue {
	item := a.key()
	for name, value := range map[string]string{
		attrBadge: a.Award.Badge, attrLevel: a.Award.Level, attrOf: a.Award.Of, attrEarnedAt: a.EarnedAt, attrAwardedAt: a.AwardedAt,
		attrPending: a.Pending, attrEventType: a.EventType, attrToldAt: a.ToldAt, attrRevokedAt: a.RevokedAt,
	} {
		if value != "" {
			item[name] = text(value)
		}
	}
	return item
}

func readAchievement(item map[string]types.AttributeValue) *Achievement {
	return &Achievement{
		Player:   textOf(item[attrPlayer]),
		Award:    rule.Award{Badge: textOf(item[attrBadge]), Level: textOf(item[attrLevel]), Of: textOf(item[attrOf])},
		EarnedAt: textOf(item[attrEarnedAt]), AwardedAt: textOf(item[attrAwardedAt]), ToldAt: textOf(item[attrToldAt]),
		RevokedAt: textOf(item[attrRevokedAt]), Pending: textOf(item[attrPending]), EventType: textOf(item[attrEventType]),
	}
}
