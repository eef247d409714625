package rebuild

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"sluice/shared/aggregate"
	"sluice/shared/change"
)

// Preview is what a rebuild would do.
type Preview struct {
	Read    int // items of the source
	Targets int // items of the view that the source's items count in
	Held    int // items of the view that have a sum other than 0
	Emptied int // of these, items that no item of the source counts in: their sums become 0
}

// Preview reads source and view, and says what Run would do. It writes nothing. It remembers a hash for each item of the view.
func (t *Tool) Preview(ctx context.Context) (Preview, error) {
	if err := t.View.Rebuildable(); err != nil {
		return Preview{}, err
	}
	out, err := t.Client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &t.View.Source})
	if err != nil {
		return Preview{}, fmt.Errorf("describe table %s: %w", t.View.Source, err)
	}
	v := &preview{Tool: t, targets: map[[16]byte]bool{}}
	for _, key := range out.Table.KeySchema {
		v.keys = append(v.keys, *key.AttributeName)
	}
	now := t.Now()
	v.window = aggregate.Window{Generation: 1, From: now.UnixMicro(), Limit: now.Add(t.Limit).UnixMicro()}
	if err := v.scan(ctx, t.View.Source, v.readSource); err != nil {
		return v.result, err
	}
	v.result.Targets = len(v.targets)
	return v.result, v.scan(ctx, t.View.Table, v.readView)
}

type preview struct {
	*Tool
	keys   []string // of the source
	window aggregate.Window

	mu      sync.Mutex
	result  Preview
	targets map[[16]byte]bool // hashes of the keys of the view's items that the source counts in
}

func (v *preview) scan(ctx context.Context, table string, visit func(map[string]types.AttributeValue) error) error {
	group, ctx := errgroup.WithContext(ctx)
	for segment := range v.Segments {
		group.Go(func() error {
			pages := dynamodb.NewScanPaginator(v.Client, &dynamodb.ScanInput{
				TableName: &table, ConsistentRead: aws.Bool(true), Segment: aws.Int32(int32(segment)), TotalSegments: aws.Int32(int32(v.Segments)),
			})
			for pages.HasMorePages() {
				out, err := pages.NextPage(ctx)
				if err != nil {
					return fmt.Errorf("read %s: %w", table, err)
				}
				for _, item := range out.Items {
					if err := visit(item); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	return group.Wait()
}

func (v *preview) readSource(item map[string]types.AttributeValue) error {
	c, err := change.FromItem(v.View.Source, v.keys, maps.Clone(item), v.Now())
	if err != nil {
		return fmt.Errorf("read %s: %w", v.View.Source, err)
	}
	s, err := v.View.Standing(c, v.Horizon)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.result.Read++
	if err != nil || s.Target.Key == nil || !v.window.Takes(s.Target) {
		return nil //nolint:nilerr // an item that can't be used counts for nothing
	}
	name, err := hashOf(s.Target)
	v.targets[name] = true
	return err
}

func (v *preview) readView(item map[string]types.AttributeValue) error {
	target, own, err := v.View.Own(item)
	if err != nil || !own || !v.window.Takes(target) {
		return err
	}
	has := false
	for _, sum := range target.Sums {
		n, ok := item[sum].(*types.AttributeValueMemberN)
		has = has || ok && n.Value != "0"
	}
	if !has {
		return nil
	}
	name, err := hashOf(target)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.result.Held++
	if !v.targets[name] {
		v.result.Emptied++
	}
	return err
}

func hashOf(t aggregate.Target) ([16]byte, error) {
	name, err := change.ItemKey("", t.Key)
	hash := sha256.Sum256([]byte(name))
	return [16]byte(hash[:16]), err
}
