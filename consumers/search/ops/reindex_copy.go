package ops

import (
	"context"
	"fmt"
	"time"

	"sluice/consumers/search/internal/document"
	"sluice/consumers/search/internal/index"
	"sluice/shared/consumer"
	"sluice/shared/operate"
)

// readTable fills the new index from the table.
func (r *reindex) readTable(ctx context.Context) error {
	r.show(func(p *ReindexProgress) { p.Phase, p.Until = Reading, time.Time{} })
	cursors, err := r.journal.checkpoint.cursors()
	if err != nil {
		return err
	}
	refused := make([]bool, len(cursors)) // by segment
	return r.source.Resume(ctx, cursors, func(ctx context.Context, page operate.Page) error {
		n, err := r.page(ctx, page)
		refused[page.Segment] = refused[page.Segment] || n > 0
		return err
	}, func(ctx context.Context, segment int, at operate.Cursor) error {
		if refused[segment] { // the next run tries the refused item again, and all that comes after it
			return nil
		}
		return r.journal.advance(ctx, segment, at)
	}, func(items int) {
		r.show(func(p *ReindexProgress) { p.Items += items })
	})
}

// page writes a page of items to the new index, and returns how many of them the index or the route refuses.
func (r *reindex) page(ctx context.Context, page operate.Page) (refused int, err error) {
	operations, rejected := r.operations(page)
	for _, o := range operations {
		o.Reach = index.ToNext
	}
	written, more, err := r.put(ctx, operations)
	if err != nil {
		return 0, err
	}
	rejected = append(rejected, more...)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.result.Read += len(page.Items)
	r.result.Written += written
	r.result.Refused += len(rejected)
	for _, reason := range rejected[:min(len(rejected), maxReasons-len(r.result.Reasons))] {
		r.result.Reasons = append(r.result.Reasons, reason.Error())
	}
	return len(rejected), nil
}

// put writes documents to the new index, unless it has something newer. It returns how many it wrote, and rejections.
func (r *reindex) put(ctx context.Context, operations []*index.Operation) (written int, refused []error, err error) {
	r.client.WriteWithRetry(ctx, operations)
	for _, o := range operations {
		switch consumer.OutcomeOf(o.Err) {
		case consumer.Applied:
			written++
		case consumer.Rejected:
			refused = append(refused, o.Err)
		case consumer.Retry:
			return written, refused, fmt.Errorf("fill index %s: %w", r.result.To, o.Err)
		}
	}
	return written, refused, nil
}

// bury copies the tombstones of the old index.
func (r *reindex) bury(ctx context.Context) error {
	r.show(func(p *ReindexProgress) { p.Phase = Burying })
	if err := r.client.refresh(ctx, r.result.From); err != nil {
		return err
	}
	query := map[string]any{"query": document.TombstoneFilter(), "version": true, "sort": []string{"_doc"}}
	return r.client.scroll(ctx, r.result.From, query, func(hits []hit) error {
		operations := make([]*index.Operation, len(hits))
		for i, h := range hits {
			operations[i] = &index.Operation{Route: r.Route, ID: h.ID, Version: h.Version, Document: h.Source, Reach: index.ToNext}
		}
		written, refused, err := r.put(ctx, operations)
		if err != nil {
			return err
		}
		if len(refused) > 0 {
			return fmt.Errorf("index %s refuses a tombstone: %w", r.result.To, refused[0])
		}
		r.result.Tombstones += written
		return nil
	})
}
