package ranked

import (
	"context"
	"fmt"

	"sluice/consumers/replication/internal/store"
	"sluice/shared/consumer"
)

// Repair makes an item the same in all regions, where an attribute ranks its
// versions: the greatest that any region holds goes to the others, or is removed
// where a tombstone is as great. What it overwrites is kept in the conflict log.
// What it returns is as for Apply. It is safe beside changes of any age.
func (r Rule) Repair(ctx context.Context, key store.Item, attribute string) error {
	greatest := &Change{key: key, attribute: attribute, created: r.Home.Now().UnixMicro()}
	for _, t := range r.All() {
		held, err := t.Get(ctx, key)
		if err != nil {
			return err
		}
		if held != nil {
			rank, err := rankOf(held, attribute)
			if err != nil {
				return consumer.Reject(fmt.Errorf("table %s (%s): %w", t.Name, t.Region, err))
			}
			if rank.Compare(greatest.Rank) > 0 {
				greatest.Rank, greatest.item = rank, held
			}
		}
		buried, err := buriedRank(ctx, t, key)
		if err != nil {
			return err
		}
		if buried.Compare(greatest.Rank) > 0 {
			greatest.Rank, greatest.item = buried, nil
		}
	}
	if greatest.Rank.kind == unranked {
		return consumer.Skip // gone meanwhile, and nobody remembers it
	}
	var parts []error
	for _, t := range r.All() {
		if greatest.item == nil {
			parts = append(parts, t.At(r.buryAndClear(ctx, t, greatest)))
		} else {
			parts = append(parts, t.At(r.raise(ctx, t, greatest)))
		}
	}
	return consumer.Combine(parts)
}
