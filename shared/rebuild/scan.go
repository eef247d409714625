package rebuild

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"sluice/shared/aggregate"
	"sluice/shared/change"
	"sluice/shared/consumer"
)

// page is how many items are read and written between two savings of a cursor.
const page = 200

func (r *run) table() *aggregate.Table {
	return &aggregate.Table{Client: r.Client, Name: r.View.Table, Ledger: r.Ledger, Horizon: r.Horizon, Now: r.Now}
}

// scan reads the source, strongly consistent, and stands each item where no row
// of a change does. Pages may be read twice: a row is written once.
func (r *run) scan(ctx context.Context, state *aggregate.Rebuilds) error {
	out, err := r.Client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &r.View.Source})
	if err != nil {
		return fmt.Errorf("describe table %s: %w", r.View.Source, err)
	}
	r.tell(func(p *Progress) { p.Total = int(aws.ToInt64(out.Table.ItemCount)) })
	var keys []string
	for _, key := range out.Table.KeySchema {
		keys = append(keys, *key.AttributeName)
	}
	cursors, err := r.readCursors(ctx, state.Current.Generation)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	for segment, at := range cursors {
		if !at.done {
			group.Go(func() error { return r.scanSegment(ctx, state, keys, segment, at) })
		}
	}
	return group.Wait()
}

func (r *run) scanSegment(ctx context.Context, state *aggregate.Rebuilds, keys []string, segment int, at cursor) error {
	for !at.done {
		out, err := r.Client.Scan(ctx, &dynamodb.ScanInput{
			TableName:         &r.View.Source,
			ConsistentRead:    aws.Bool(true),
			Segment:           aws.Int32(int32(segment)),
			TotalSegments:     aws.Int32(int32(r.segments())),
			Limit:             aws.Int32(page),
			ExclusiveStartKey: at.after,
		})
		if err != nil {
			return fmt.Errorf("read %s, segment %d: %w", r.View.Source, segment, err)
		}
		if err := r.standPage(ctx, state, keys, out.Items); err != nil {
			return err
		}
		at.after, at.done = out.LastEvaluatedKey, len(out.LastEvaluatedKey) == 0
		if err := r.saveCursor(ctx, state, segment, at); err != nil {
			return err
		}
	}
	return nil
}

// standPage stands the items of a page, those of one item of the view together. An item
// that the view can't use, or whose sum DynamoDB doesn't take, is counted and left out.
func (r *run) standPage(ctx context.Context, state *aggregate.Rebuilds, keys []string, items []map[string]types.AttributeValue) error {
	byTarget := map[string][]aggregate.Standing{}
	names := map[string]string{} // by Standing.Item
	var unusable []Unusable
	for _, attributes := range items {
		name := keyText(keys, attributes)
		c, err := change.FromItem(r.View.Source, keys, attributes, time.UnixMicro(state.Current.From-1))
		if err != nil {
			unusable = append(unusable, Unusable{name, err.Error()})
			continue
		}
		s, err := r.View.Standing(c, r.Horizon)
		if err != nil {
			unusable = append(unusable, Unusable{name, err.Error()})
			continue
		}
		if s.Target.Key == nil || !state.Current.Takes(s.Target) {
			continue
		}
		s.ID = state.Current.ScannedID()
		byTarget[s.Target.Group] = append(byTarget[s.Target.Group], s)
		names[s.Item] = name
	}
	for _, name := range slices.Sorted(maps.Keys(byTarget)) {
		for i, err := range r.table().Stand(ctx, r.View.Name, state, state.Current, byTarget[name]) {
			item := names[byTarget[name][i].Item]
			switch consumer.OutcomeOf(err) {
			case consumer.Rejected:
				unusable = append(unusable, Unusable{item, err.Error()})
			case consumer.Retry:
				return fmt.Errorf("item %s of %s: %w", item, r.View.Source, err)
			}
		}
	}
	r.count(len(items), unusable)
	return nil
}

// keyText names an item by its key.
func keyText(keys []string, attributes map[string]types.AttributeValue) string {
	var parts []string
	for _, name := range keys {
		switch v := attributes[name].(type) {
		case *types.AttributeValueMemberS:
			parts = append(parts, fmt.Sprintf("%s=%q", name, v.Value))
		case *types.AttributeValueMemberN:
			parts = append(parts, name+"="+v.Value)
		case *types.AttributeValueMemberB:
			parts = append(parts, fmt.Sprintf("%s=%x", name, v.Value))
		}
	}
	return strings.Join(parts, " ")
}
