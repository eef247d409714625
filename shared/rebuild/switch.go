package rebuild

import (
	"context"
	"maps"
	"slices"

	"sluice/shared/aggregate"
	"sluice/shared/consumer"
	"sluice/shared/operate"
)

// switchAll puts the new sums in the places of the old ones in all of the view's
// items. An item that somebody makes meanwhile is switched by whoever touches it next.
func (r *run) switchAll(ctx context.Context, state *aggregate.Rebuilds) error {
	table := &operate.Source{Client: r.Client, Table: r.View.Table, Limit: page}
	return table.Scan(ctx, r.segments(), func(ctx context.Context, p operate.Page) error {
		var unusable []operate.Unusable
		for _, item := range p.Items {
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
				unusable = append(unusable, operate.Unusable{Key: operate.KeyText(keys, item), Reason: "keeps its old sums: " + err.Error()})
				continue
			}
			if err != nil {
				return err
			}
		}
		r.count(len(p.Items), unusable)
		return nil
	})
}
