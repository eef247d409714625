package ops

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"sluice/shared/change"
	"sluice/shared/consumer"
)

// BackfillOptions say how to fill an index from a table that exists.
type BackfillOptions struct {
	// Segments is how many parts of the table are read side by side, 1 to 1,000. A
	// backfill that was broken off goes on where it was only with the same number.
	Segments int
	// Progress is told of every page, from several goroutines; nil: nobody is.
	Progress func(items int)
}

// Backfilled is what became of the table's items.
type Backfilled struct {
	Route    string `json:"route"`
	Written  int    `json:"written"`
	Newer    int    `json:"newer"`    // the index held something newer, or the item was gone
	LeftOut  int    `json:"leftOut"`  // the route doesn't take them
	Rejected int    `json:"rejected"` // see Faults
	// Faults are why items were rejected, the first hundred.
	Faults []error `json:"-"`
}

const maxFaults = 100

// Backfill fills the index from the table while both are written. An item that was
// read counts as a change made ReadMargin before, so nothing newer is overwritten, and
// nothing that was removed since comes back. After an error, or when ctx ended, another
// Backfill goes on from where this one was.
//
// The functions must have begun ReadMargin before: of an item that changed twice
// before they did, the older change, if it comes to them late, could be taken for newer
// than the item as it was read.
func (p *Operator) Backfill(ctx context.Context, o BackfillOptions) (Backfilled, error) {
	b := &backfill{Operator: p, options: o, result: Backfilled{Route: p.Route.Name}}
	err := b.run(ctx)
	return b.result, err
}

// backfill is one run.
type backfill struct {
	*Operator
	options BackfillOptions
	source  *source
	journal journal

	mu     sync.Mutex
	result Backfilled
}

func (b *backfill) run(ctx context.Context) error {
	var err error
	if b.source, err = b.Operator.source(ctx); err != nil {
		return err
	}
	there, err := b.findIndexes(ctx)
	if _, none := errors.AsType[*noIndexError](err); none {
		if err := b.client.CreateFirst(ctx, b.Route); err != nil {
			return err
		}
		there, err = b.findIndexes(ctx)
	}
	if err != nil {
		return err
	}
	mine, err := newCheckpoint(b.Route, b.options.Segments)
	if err != nil {
		return err
	}
	b.journal = journal{Operator: b.Operator, index: there.current, key: backfillKey}
	if err := b.journal.load(ctx); err != nil {
		return err
	}
	// Otherwise it is of another run, of which nothing is left to do.
	if begun := b.journal.checkpoint; begun.Definition != mine.Definition || len(begun.Segments) != len(mine.Segments) {
		b.journal.checkpoint = mine
	}
	group, groupCtx := errgroup.WithContext(ctx)
	for n := range b.journal.checkpoint.Segments {
		group.Go(func() error { return b.segment(groupCtx, n) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return b.client.putMeta(ctx, b.journal.index, map[string]any{}) // the next one begins anew
}

// segment reads one part of the table into the index, page by page.
func (b *backfill) segment(ctx context.Context, n int) error {
	from, done, err := b.journal.checkpoint.Segments[n].position()
	for err == nil && !done {
		var items []*change.Change
		var faults []error
		if items, faults, from, err = b.source.page(ctx, n, len(b.journal.checkpoint.Segments), from); err != nil {
			return err
		}
		if err := b.fill(ctx, items, faults); err != nil {
			return err
		}
		done = from == nil
		err = b.journal.advance(ctx, n, from)
		if b.options.Progress != nil {
			b.options.Progress(len(items) + len(faults))
		}
	}
	return err
}

// fill writes a page of items; faults are of those that can't be read.
func (b *backfill) fill(ctx context.Context, items []*change.Change, faults []error) error {
	operations, refused := b.documents(items)
	leftOut := len(items) - len(operations) - len(refused)
	faults = append(faults, refused...)
	b.client.DualWrite(ctx, operations)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.result.LeftOut += leftOut
	for _, o := range operations {
		switch consumer.OutcomeOf(o.Err) {
		case consumer.Applied:
			b.result.Written++
		case consumer.Duplicate, consumer.Stale:
			b.result.Newer++
		case consumer.Rejected:
			faults = append(faults, o.Err)
		default:
			return fmt.Errorf("fill index %s: %w", b.Route.Index, o.Err)
		}
	}
	b.result.Rejected += len(faults)
	b.result.Faults = append(b.result.Faults, faults[:min(len(faults), maxFaults-len(b.result.Faults))]...)
	return nil
}
