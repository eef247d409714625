package aggregate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// rebuildsGroup is the ledger's group with a row for each view that was ever
// rebuilt, named by the view. No view's own group is named so.
const rebuildsGroup = "//rebuild"

// Attributes of these rows, beside Group and Entry.
const (
	attrState    = "State" // Rebuilds as JSON
	attrRevision = "Revision"
)

// Freshness is how old a writer's knowledge of the rebuilds may be when it takes
// up a batch. Whoever announces a window has to do it so much ahead.
const Freshness = 5 * time.Second

// ReadRebuilds reads what the ledger knows of all views' rebuilds, strongly
// consistent; a view that isn't there was never rebuilt.
func ReadRebuilds(ctx context.Context, client *dynamodb.Client, ledger string) (map[string]*Rebuilds, error) {
	rows, err := ReadLedger(ctx, client, ledger, rebuildsGroup)
	if err != nil {
		return nil, fmt.Errorf("read which views are being rebuilt in %s: %w", ledger, err)
	}
	byView := map[string]*Rebuilds{}
	for _, row := range rows {
		view, r, err := readRebuilds(row)
		if err != nil {
			return nil, fmt.Errorf("ledger %s, group %s: %w", ledger, rebuildsGroup, err)
		}
		byView[view] = r
	}
	return byView, nil
}

func readRebuilds(row map[string]types.AttributeValue) (view string, r *Rebuilds, err error) {
	entry, hasEntry := row[attrEntry].(*types.AttributeValueMemberS)
	text, hasState := row[attrState].(*types.AttributeValueMemberS)
	revision, hasRevision := row[attrRevision].(*types.AttributeValueMemberN)
	if !hasEntry || !hasState || !hasRevision {
		return "", nil, fmt.Errorf("a row has no %s, %s or %s", attrEntry, attrState, attrRevision)
	}
	r = &Rebuilds{}
	if err := json.Unmarshal([]byte(text.Value), r); err != nil {
		return "", nil, fmt.Errorf("%s of %q: %w", attrState, entry.Value, err)
	}
	if r.Revision, err = strconv.ParseInt(revision.Value, 10, 64); err != nil {
		return "", nil, fmt.Errorf("%s of %q: %w", attrRevision, entry.Value, err)
	}
	return entry.Value, r, nil
}

// ErrOvertaken is returned by Save if somebody else has written since.
var ErrOvertaken = errors.New("the state of the rebuild is another one by now: is a second one running?")

// Save writes a view's rebuilds if the ledger still has the revision before; r
// was read, and changed since, or is new. An answer that is lost may come back as
// ErrOvertaken: read again.
func (r *Rebuilds) Save(ctx context.Context, client *dynamodb.Client, ledger, view string) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	input := &dynamodb.PutItemInput{
		TableName: &ledger,
		Item: map[string]types.AttributeValue{
			attrGroup:    &types.AttributeValueMemberS{Value: rebuildsGroup},
			attrEntry:    &types.AttributeValueMemberS{Value: view},
			attrState:    &types.AttributeValueMemberS{Value: string(text)},
			attrRevision: number64(r.Revision + 1),
		},
		ExpressionAttributeNames: map[string]string{"#revision": attrRevision},
		ConditionExpression:      aws.String("attribute_not_exists(#revision)"),
	}
	if r.Revision > 0 {
		input.ConditionExpression = aws.String("#revision = :before")
		input.ExpressionAttributeValues = map[string]types.AttributeValue{":before": number64(r.Revision)}
	}
	_, err = client.PutItem(ctx, input)
	if _, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return fmt.Errorf("view %s: %w", view, ErrOvertaken)
	}
	if err != nil {
		return fmt.Errorf("write the state of view %s's rebuild to %s: %w", view, ledger, err)
	}
	r.Revision++
	return nil
}
