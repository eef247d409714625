package replication

import (
	"context"
	"slices"

	"sluice/consumers/replication/replica"
	"sluice/shared/change"
)

// ranked is one change of a table whose items an attribute ranks.
type ranked struct {
	*replica.Ranked
	index int // in the batch
}

// readRanked is readEdit for a table whose items an attribute ranks.
func (m *Mirror) readRanked(index int, c *change.Change) (ranked, error) {
	r, err := replica.NewRanked(c, m.attribute)
	return ranked{r, index}, err
}

// applyRanked applies the change of an item that ranks above all others of the batch,
// which isn't the newest if regions write at once. What the others tell of the
// item, it stands for.
func (m *Mirror) applyRanked(ctx context.Context, changes []ranked, errs []error) {
	slices.SortStableFunc(changes, func(a, b ranked) int { return b.Rank.Compare(a.Rank) })
	ranks := make([]replica.Rank, len(changes))
	all := make([]*replica.Ranked, len(changes))
	for n, c := range changes {
		ranks[n], all[n] = c.Rank, c.Ranked
	}
	outcomes, _ := applyNewest(ranks, func(n int) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		changes[n].PassOver(all)
		return m.peers.ApplyRanked(ctx, changes[n].Ranked)
	})
	for n, c := range changes {
		errs[c.index] = outcomes[n]
	}
}
