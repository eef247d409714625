package keeper

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/shopspring/decimal"

	"sluice/shared/aggregate"
	"sluice/shared/view"
)

// Touched is an item of a view that changes of a batch came to, for whoever acts
// on its new values. Whoever acts on every one, and lets a change come again if
// that fails, misses none of an item's values that last: the last change to
// come to it finds them, if only as a duplicate. Only what a rebuild puts in place
// is found by no change.
type Touched struct {
	View *view.View
	Key  map[string]types.AttributeValue
	// Changes are the indexes in the batch of those that the item has taken, now or
	// before. Other parts of them may have failed.
	Changes []int
	// Added is what Changes have added to each of the item's sums, if one write did it and
	// Attributes are what that write left: then the sums were less by this just before.
	// nil if that isn't so, or some changes were duplicates, whose first delivery may
	// have been cut before anybody acted on it.
	Added map[string]decimal.Decimal

	table *aggregate.Table
	item  map[string]types.AttributeValue // nil: the writes didn't tell
}

// Attributes returns the item as it was after Changes, or later. Mostly the write
// or its refusal returned it. After late changes, and while the view is rebuilt, it is
// read, strongly consistent. It is empty if somebody has deleted the item.
func (t *Touched) Attributes(ctx context.Context) (map[string]types.AttributeValue, error) {
	if t.item != nil {
		return t.item, nil
	}
	out, err := t.table.Client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &t.table.Name, Key: t.Key, ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, fmt.Errorf("read an item of view %s in %s: %w", t.View.Name, t.table.Name, err)
	}
	t.item = out.Item
	return t.item, nil
}
