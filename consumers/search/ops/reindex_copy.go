package ops

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/consumers/search/internal/document"
	"sluice/consumers/search/internal/index"
	"sluice/shared/change"
	"sluice/shared/consumer"
)

// segment reads one part of the table into the new index, page by page.
func (r *reindex) segment(ctx context.Context, n int) error {
	from, done, err := r.journal.checkpoint.Segments[n].position()
	refused := false
	for err == nil && !done {
		var changes []*change.Change
		var faults []error
		var after map[string]types.AttributeValue
		changes, faults, after, err = r.source.page(ctx, n, len(r.journal.checkpoint.Segments), from)
		if err != nil {
			return err
		}
		more, err := r.fill(ctx, changes, faults)
		if err != nil {
			return err
		}
		refused = refused || more
		from, done = after, after == nil
		// What was refused is tried again by the next run, with all that comes after it.
		if !refused {
			if err := r.journal.advance(ctx, n, from); err != nil {
				return err
			}
		}
		r.show(func(p *ReindexProgress) { p.Items += len(changes) })
	}
	return err
}

// fill writes items to the new index, and tells whether it refused any; faults are of
// items that can't be read.
func (r *reindex) fill(ctx context.Context, changes []*change.Change, faults []error) (refused bool, err error) {
	operations, unfit := r.documents(changes)
	for _, o := range operations {
		o.Reach = index.ToNext
	}
	written, more, err := r.put(ctx, operations)
	if err != nil {
		return false, err
	}
	faults = slices.Concat(faults, unfit, more)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.result.Read += len(changes)
	r.result.Written += written
	r.result.Refused += len(faults)
	for _, fault := range faults[:min(len(faults), maxReasons-len(r.result.Reasons))] {
		r.result.Reasons = append(r.result.Reasons, fault.Error())
	}
	return len(faults) > 0, nil
}

// put writes documents to the new index, unless it has something newer, and returns
// how many it wrote and which it refused.
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

// bury copies the old index's tombstones.
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
