package replication

import (
	"context"

	"sluice/consumers/replication/internal/ranked"
	"sluice/shared/change"
	"sluice/shared/consumer"
)

// parseRanked returns a change of a table whose items an attribute ranks.
func (m *Mirror) parseRanked(c *change.Change) (ranked.Rank, *ranked.Change, error) {
	r, err := ranked.NewChange(c, m.Attribute)
	if err != nil {
		return ranked.Rank{}, nil, err
	}
	return r.Rank, r, nil
}

// applyRanked is apply for a table whose items an attribute ranks. It writes only the change of an item that ranks above all others
// of the batch, which need not be the newest. PassOver first adds to it what the others knew.
func (m *Mirror) applyRanked(ctx context.Context, item *consumer.Item[ranked.Rank, *ranked.Change]) {
	item.Sort(ranked.Rank.Compare)
	var all []*ranked.Change
	for _, v := range item.Versions {
		all = append(all, v.Of)
	}
	item.Apply(func(v *consumer.Version[ranked.Rank, *ranked.Change], _ bool) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		v.Of.PassOver(all)
		return m.ranked.Apply(ctx, v.Of)
	})
}
