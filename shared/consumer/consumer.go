package consumer

import (
	"cmp"
	"context"
	"fmt"
	"runtime/debug"

	"sluice/shared/change"
)

// Consumer applies changes to one destination.
type Consumer interface {
	// ApplyBatch applies the changes of one batch and returns one error for
	// each, in the same order; nil means Applied, see OutcomeOf for the rest.
	//
	// The batch comes as the stream delivers it: a change may be repeated, in
	// this batch or another, come out of order, and be in the hands of another
	// instance at the same time. After ctx ends nothing more may be started;
	// what isn't known to be applied by then is Retry. A change that must wait
	// for an earlier one of its item is Retry too; changes of other items go on.
	//
	// The changes and the slice are valid until ApplyBatch returns; strings
	// and bytes taken from them stay valid.
	ApplyBatch(ctx context.Context, batch []*change.Change) []error
}

// Applier applies one change at a time. Each makes a Consumer of it.
type Applier interface {
	// Apply applies one change; what it returns is as for ApplyBatch. It is
	// called for several items side by side, but for one item at a time only.
	Apply(ctx context.Context, c *change.Change) error
}

// EachConcurrency is how many items Each has in hand at once.
const EachConcurrency = 32

// Each makes a Consumer of an Applier. Changes of different items are applied
// side by side; those of one item one after another, oldest version first, and
// once one of them has to be retried the later ones of that item wait for it.
//
// A panic in Apply is that change's error (Retry), with the stack in its text.
func Each(a Applier) Consumer { return each{a} }

type each struct{ Applier }

var _ Consumer = each{}

func (e each) ApplyBatch(ctx context.Context, batch []*change.Change) []error {
	errs := make([]error, len(batch))
	items := ByItem(batch, func(_ int, c *change.Change) (string, int64, *change.Change, bool) {
		return c.ItemKey(), c.Version, c, true
	})
	SideBySide(EachConcurrency, items, func(i *Item[int64, *change.Change]) {
		i.Sort(func(a, b int64) int { return cmp.Compare(b, a) })
		e.applyItem(context.WithValue(ctx, itemKey{}, i.Key), i.Versions)
		i.Spread(errs)
	})
	return errs
}

type itemKey struct{}

// ItemOf returns the ItemKey of the item whose change is applied, from the context
// that Each gives to Apply; "" from any other. It tells apart calls made side by side.
func ItemOf(ctx context.Context) string {
	key, _ := ctx.Value(itemKey{}).(string)
	return key
}

// applyItem applies the changes of one item in order.
func (e each) applyItem(ctx context.Context, oldestFirst []*Version[int64, *change.Change]) {
	for n, v := range oldestFirst {
		if v.Err = ctx.Err(); v.Err == nil {
			v.Err = e.apply(ctx, v.Of)
		}
		if OutcomeOf(v.Err) != Retry {
			continue
		}
		for _, later := range oldestFirst[n+1:] {
			later.Err = fmt.Errorf("waits for an earlier change of its item: %w", v.Err)
		}
		return
	}
}

func (e each) apply(ctx context.Context, c *change.Change) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return e.Apply(ctx, c)
}
