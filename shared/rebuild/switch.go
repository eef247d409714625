package rebuild

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"golang.org/x/sync/errgroup"

	"sluice/shared/aggregate"
	"sluice/shared/consumer"
)

// switchAll puts the new sums in the places of the old ones in all of the view's
// items. An item that somebody makes meanwhile is switched by whoever touches it next.
func (r *run) switchAll(ctx context.Context, state *aggregate.Rebuilds) error {
	group, ctx := errgroup.WithContext(ctx)
	for segment := range r.segments() {
		group.Go(func() error { return r.switchSegment(ctx, state, segment) })
	}
	return group.Wait()
}

func (r *run) switchSegment(ctx context.Context, state *aggregate.Rebuilds, segment int) error {
	pages := dynamodb.NewScanPaginator(r.Client, &dynamodb.ScanInput{
		TableName:      &r.View.Table,
		ConsistentRead: aws.Bool(true),
		Segment:        aws.Int32(int32(segment)),
		TotalSegments:  aws.Int32(int32(r.segments())),
		Limit:          aws.Int32(page),
	})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("read %s, segment %d: %w", r.View.Table, segment, err)
		}
		var unusable []Unusable
		for _, item := range out.Items {
			target, own, err := r.View.Own(item)
			if err != nil {
				return err
			}
			if !own || !state.Current.Takes(target) {
				continue
			}
			_, err = r.table().Switch(ctx, target, state.Current)
			if consumer.OutcomeOf(err) == consumer.Rejected {
				keys := slices.Sorted(maps.Keys(target.Key))
				unusable = append(unusable, Unusable{keyText(keys, item), "keeps its old sums: " + err.Error()})
				continue
			}
			if err != nil {
				return err
			}
		}
		r.count(len(out.Items), unusable)
	}
	return nil
}
