package rebuild

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/shared/aggregate"
	"sluice/shared/change"
	"sluice/shared/operate"
)

var errCursor = errors.New("a row that says how far the scan has come was written by somebody else")

// cursorGroup is the ledger's group of a rebuild's cursors. A scan in another
// number of segments has others.
func (r *run) cursorGroup(generation int64) string {
	return fmt.Sprintf("//rebuild/%d:%s/%d/cursors/%d", len(r.View.Name), r.View.Name, generation, r.segments())
}

func (r *run) segments() int { return max(1, r.Segments) }

// readCursors returns the cursors of all segments.
func (r *run) readCursors(ctx context.Context, generation int64) ([]operate.Cursor, error) {
	rows, err := aggregate.ReadLedger(ctx, r.Client, r.Ledger, r.cursorGroup(generation))
	if err != nil {
		return nil, fmt.Errorf("read how far the scan has come in %s: %w", r.Ledger, err)
	}
	cursors := make([]operate.Cursor, r.segments())
	for _, row := range rows {
		segment, err := strconv.Atoi(change.TextOf(row["Entry"]))
		if err != nil || segment >= len(cursors) {
			return nil, errCursor
		}
		if after, ok := row["After"].(*types.AttributeValueMemberM); ok {
			cursors[segment].After = after.Value
		} else {
			cursors[segment].Done = true
		}
	}
	return cursors, nil
}

// saveCursor saves how far a segment has come. A cursor that lands late, from a run
// that died, is true all the same; it only has pages read twice.
func (r *run) saveCursor(ctx context.Context, state *aggregate.Rebuilds, segment int, at operate.Cursor) error {
	expires := time.UnixMicro(state.Current.Limit).Add(24 * time.Hour).Unix()
	row := map[string]types.AttributeValue{
		"Group":     &types.AttributeValueMemberS{Value: r.cursorGroup(state.Current.Generation)},
		"Entry":     &types.AttributeValueMemberS{Value: fmt.Sprintf("%06d", segment)},
		"ExpiresAt": &types.AttributeValueMemberN{Value: strconv.FormatInt(expires, 10)},
	}
	if !at.Done {
		row["After"] = &types.AttributeValueMemberM{Value: at.After}
	}
	if _, err := r.Client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &r.Ledger, Item: row}); err != nil {
		return fmt.Errorf("save how far the scan has come in %s: %w", r.Ledger, err)
	}
	return nil
}
