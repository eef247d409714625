package ops

import (
	"context"
	"errors"
	"fmt"

	"sluice/consumers/search/internal/index"
	"sluice/shared/consumer"
	"sluice/shared/operate"
)

// Backfill fills the route's index from the whole table, read in so many segments, while both are written. A backfill that was
// stopped resumes only with the same number.
//
// The functions must have begun operate.ReadMargin before. If an item changed twice before they did, and the older change comes to
// them late, they could take it for newer than the item that was read.
func (p *Operator) Backfill(segments int) operate.Backfill {
	return &backfill{Operator: p, segments: segments}
}

// backfill is one run.
type backfill struct {
	*Operator
	segments int
	journal  journal
	result   operate.Tally
}

func (b *backfill) Steps(ctx context.Context) ([]operate.Step, error) {
	if err := b.source.Open(ctx); err != nil {
		return nil, err
	}
	held, err := b.client.count(ctx, b.Route.Index)
	if err != nil && !index.IsNotFound(err) {
		return nil, err
	}
	t := b.Title()
	return []operate.Step{{Into: t.Destination, From: t.Source, Write: b.source.Count, About: true, Held: held}}, nil
}

func (b *backfill) Run(ctx context.Context, progress func(items int)) (operate.Backfilled, error) {
	err := b.run(ctx, progress)
	return b.result.Backfilled(), err
}

func (b *backfill) run(ctx context.Context, progress func(items int)) error {
	if err := b.source.Open(ctx); err != nil {
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
	mine, err := newCheckpoint(b.Route, b.segments)
	if err != nil {
		return err
	}
	b.journal = journal{Operator: b.Operator, index: there.current, key: backfillKey}
	if err := b.journal.load(ctx); err != nil {
		return err
	}
	// Otherwise the checkpoint is of another run, of which nothing is left to do.
	if begun := b.journal.checkpoint; begun.Definition != mine.Definition || len(begun.Segments) != len(mine.Segments) {
		b.journal.checkpoint = mine
	}
	cursors, err := b.journal.checkpoint.cursors()
	if err != nil {
		return err
	}
	if err := b.source.Resume(ctx, cursors, b.page, b.journal.advance, progress); err != nil {
		return err
	}
	return b.client.putMeta(ctx, b.journal.index, map[string]any{}) // the next run starts from the beginning
}

// page writes a page of items.
func (b *backfill) page(ctx context.Context, page operate.Page) error {
	operations, rejected := b.operations(page)
	b.client.DualWrite(ctx, operations)
	outcomes := rejected
	for _, o := range operations {
		outcomes = append(outcomes, o.Err)
	}
	for len(outcomes) < len(page.Items) {
		outcomes = append(outcomes, consumer.Skip) // the route doesn't take them
	}
	for _, outcome := range outcomes {
		if err := b.result.Add(outcome); err != nil {
			return fmt.Errorf("fill index %s: %w", b.Route.Index, err)
		}
	}
	return nil
}
