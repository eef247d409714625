package operate

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"sluice/shared/change"
)

// replayedAtOnce is how many items of a page a Replay hands on side by side.
const replayedAtOnce = 16

// Replay is a [Backfill] by a consumer's own Apply: it hands each item of the source on as a change that inserts it, made [ReadMargin]
// before it was read. [change.Change.ItemKey] is the item's. [change.Change.ID] differs in each run, so a consumer that sends an identity
// makes one of the item and of what it holds. A second Run resumes where the first one stopped; a Replay that is made later begins again.
type Replay struct {
	Source      *Source
	Destination string // for people, such as "table Orders"
	Segments    int    // at least 1
	Apply       func(ctx context.Context, c *change.Change) error

	cursors []Cursor
	tally   Tally
}

var _ Backfill = (*Replay)(nil)

// Title implements Backfill.
func (r *Replay) Title() Title {
	return Title{Name: r.Source.Table, Source: "table " + r.Source.Table, Destination: r.Destination}
}

// Steps implements Backfill.
func (r *Replay) Steps(ctx context.Context) ([]Step, error) {
	if err := r.Source.Open(ctx); err != nil {
		return nil, err
	}
	return []Step{{Into: r.Destination, From: r.Title().Source, Write: r.Source.Count, About: true}}, nil
}

// Run implements Backfill.
func (r *Replay) Run(ctx context.Context, progress func(items int)) (Backfilled, error) {
	if r.cursors == nil {
		r.cursors = make([]Cursor, r.Segments)
	}
	err := r.Source.Open(ctx)
	if err == nil {
		err = r.Source.Resume(ctx, r.cursors, r.page, func(_ context.Context, segment int, c Cursor) error {
			r.cursors[segment] = c // each segment has its own
			return nil
		}, progress)
	}
	return r.tally.Backfilled(), err
}

// page hands a page's items on.
func (r *Replay) page(ctx context.Context, page Page) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(replayedAtOnce)
	for _, item := range page.Items {
		c, err := change.FromItem(r.Source.Table, r.Source.Keys, item, page.Version)
		if err != nil {
			return fmt.Errorf("item %s of %s: %w", r.Source.KeyText(item), r.Source.Table, err)
		}
		group.Go(func() error { return r.tally.Add(r.Apply(ctx, c)) })
	}
	return group.Wait()
}
