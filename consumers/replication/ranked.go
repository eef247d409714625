package replication

import (
	"context"
	"slices"

	"sluice/consumers/replication/internal/ranked"
)

// applyRanked is apply for a table whose items an attribute ranks. It writes only the change of an item that ranks above all others
// of the batch, which need not be the newest. PassOver first adds to it what the others knew.
func (m *Mirror) applyRanked(ctx context.Context, changes []indexed[*ranked.Change], errs []error) {
	slices.SortStableFunc(changes, func(a, b indexed[*ranked.Change]) int { return b.change.Rank.Compare(a.change.Rank) })
	ranks := make([]ranked.Rank, len(changes))
	all := make([]*ranked.Change, len(changes))
	for n, c := range changes {
		ranks[n], all[n] = c.change.Rank, c.change
	}
	outcomes, _ := applyNewest(ranks, func(n int) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		all[n].PassOver(all)
		return m.ranked.Apply(ctx, all[n])
	})
	for n, c := range changes {
		errs[c.index] = outcomes[n]
	}
}
