package ops

import (
	"context"

	"sluice/consumers/replication"
	"sluice/consumers/replication/internal/lastwriter"
	"sluice/consumers/replication/internal/ranked"
	"sluice/consumers/replication/internal/store"
	"sluice/consumers/replication/mark"
)

// sharedRepair repairs the items of a shared table.
type sharedRepair struct {
	*replication.Shared

	peers  *store.Peers
	random func() uint64 // names writes; no two instances may draw the same
}

// item makes an item of the table the same in all regions, by the table's conflict rule; see lastwriter.Rule and ranked.Rule.
func (r *sharedRepair) item(ctx context.Context, key store.Item) error {
	if r.Attribute != "" {
		return ranked.Rule{Peers: r.peers}.Repair(ctx, key, r.Attribute)
	}
	now := r.peers.Home.Now()
	at := func(region string) mark.Mark { return scannedMark(now, region) }
	rule := lastwriter.Rule{Peers: r.peers}
	if owner := r.Owner(key); owner != "" {
		return rule.RepairOwned(ctx, key, owner, at, r.random())
	}
	return rule.Repair(ctx, key, at, r.random())
}
