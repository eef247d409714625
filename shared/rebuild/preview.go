package rebuild

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/shared/aggregate"
	"sluice/shared/change"
	"sluice/shared/operate"
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
	v := &preview{Tool: t, targets: map[[16]byte]bool{}, source: &operate.Source{Client: t.Client, Table: t.View.Source}}
	if err := v.source.Open(ctx); err != nil {
		return Preview{}, err
	}
	now := t.Now()
	v.window = aggregate.Window{Generation: 1, From: now.UnixMicro(), Limit: now.Add(t.Limit).UnixMicro()}
	if err := v.each(ctx, v.source, v.readSource); err != nil {
		return v.result, err
	}
	v.result.Targets = len(v.targets)
	return v.result, v.each(ctx, &operate.Source{Client: t.Client, Table: t.View.Table}, v.readView)
}

// Step is the rebuild as a step of a plan. It makes the calls of Preview.
func (t *Tool) Step(ctx context.Context) (operate.Step, error) {
	p, err := t.Preview(ctx)
	s := operate.Step{
		Into: fmt.Sprintf("view %s in table %s", t.View.Name, t.View.Table), From: "table " + t.View.Source,
		Write: p.Targets, Remove: p.Emptied, Held: p.Held, Act: fmt.Sprintf("its sums are rebuilt from %s", operate.Count(p.Read, "item")),
	}
	if p.Emptied > 0 {
		s.Notes = []string{fmt.Sprintf("deletes: the sums of %s become 0, since nothing in the source counts in them", operate.Count(p.Emptied, "item"))}
	}
	return s, err
}

type preview struct {
	*Tool
	source *operate.Source
	window aggregate.Window

	mu      sync.Mutex
	result  Preview
	targets map[[16]byte]bool // hashes of the keys of the view's items that the source counts in
}

// each visits every item of a table.
func (v *preview) each(ctx context.Context, table *operate.Source, visit func(operate.Item) error) error {
	return table.Scan(ctx, v.Segments, func(_ context.Context, page operate.Page) error {
		for _, item := range page.Items {
			if err := visit(item); err != nil {
				return err
			}
		}
		return nil
	})
}

func (v *preview) readSource(item operate.Item) error {
	c, err := change.FromItem(v.View.Source, v.source.Keys, maps.Clone(item), v.Now())
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

func (v *preview) readView(item operate.Item) error {
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
