package rebuild

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"sluice/shared/aggregate"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/operate"
)

// page is how many items are read and written between two savings of a cursor.
const page = 200

func (r *run) table() *aggregate.Table {
	return &aggregate.Table{Client: r.Client, Name: r.View.Table, Ledger: r.Ledger, Horizon: r.Horizon, Now: r.Now}
}

// scan reads the source, strongly consistent, and stands each item where no row
// of a change does. Pages may be read twice: a row is written once.
func (r *run) scan(ctx context.Context, state *aggregate.Rebuilds) error {
	source := &operate.Source{Client: r.Client, Table: r.View.Source, Limit: page}
	if err := source.Open(ctx); err != nil {
		return err
	}
	r.tell(func(p *Progress) { p.Total = source.Count })
	cursors, err := r.readCursors(ctx, state.Current.Generation)
	if err != nil {
		return err
	}
	return source.Resume(ctx, cursors, func(ctx context.Context, p operate.Page) error {
		return r.standPage(ctx, state, source, p.Items)
	}, func(ctx context.Context, segment int, c operate.Cursor) error {
		return r.saveCursor(ctx, state, segment, c)
	}, nil)
}

// standPage stands the items of a page, those of one item of the view together. An item
// that the view can't use, or whose sum DynamoDB doesn't take, is counted and left out.
func (r *run) standPage(ctx context.Context, state *aggregate.Rebuilds, source *operate.Source, items []operate.Item) error {
	byTarget := map[string][]aggregate.Standing{}
	names := map[string]string{} // by Standing.Item
	var unusable []operate.Unusable
	for _, attributes := range items {
		name := source.KeyText(attributes)
		c, err := change.FromItem(r.View.Source, source.Keys, attributes, time.UnixMicro(state.Current.From-1))
		if err != nil {
			unusable = append(unusable, operate.Unusable{Key: name, Reason: err.Error()})
			continue
		}
		s, err := r.View.Standing(c, r.Horizon)
		if err != nil {
			unusable = append(unusable, operate.Unusable{Key: name, Reason: err.Error()})
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
				unusable = append(unusable, operate.Unusable{Key: item, Reason: err.Error()})
			case consumer.Retry:
				return fmt.Errorf("item %s of %s: %w", item, r.View.Source, err)
			}
		}
	}
	r.count(len(items), unusable)
	return nil
}
