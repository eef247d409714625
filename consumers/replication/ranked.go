package replication

import (
	"context"
	"slices"

	"sluice/consumers/replication/internal/ranked"
	"sluice/shared/change"
)

// rankedChange is one change of a table whose items an attribute ranks.
type rankedChange struct {
	*ranked.Change
	index int // in the batch
}

// parseRanked is parseEdit for a table whose items an attribute ranks.
func (m *Mirror) parseRanked(index int, c *change.Change) (rankedChange, error) {
	r, err := ranked.NewChange(c, m.Attribute)
	return rankedChange{r, index}, err
}

// applyRanked writes only the change of an item that ranks above all others of the batch,
// which need not be the newest. PassOver first adds to it what the others knew.
func (m *Mirror) applyRanked(ctx context.Context, changes []rankedChange, errs []error) {
	slices.SortStableFunc(changes, func(a, b rankedChange) int { return b.Rank.Compare(a.Rank) })
	ranks := make([]ranked.Rank, len(changes))
	all := make([]*ranked.Change, len(changes))
	for n, c := range changes {
		ranks[n], all[n] = c.Rank, c.Change
	}
	outcomes, _ := applyNewest(ranks, func(n int) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		changes[n].PassOver(all)
		return m.ranked.Apply(ctx, changes[n].Change)
	})
	for n, c := range changes {
		errs[c.index] = outcomes[n]
	}
}
