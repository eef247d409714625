package replication

import (
	"context"

	"sluice/consumers/replication/mark"
	"sluice/consumers/replication/replica"
)

// repair makes an item of the table the same in all regions, by the table's
// conflict rule; see replica.Peers.Repair.
func (m *Mirror) repair(ctx context.Context, key replica.Item) error {
	if m.attribute != "" {
		return m.peers.RepairRanked(ctx, key, m.attribute)
	}
	now := m.peers.Home.Now()
	at := func(region string) mark.Mark { return scannedMark(now, region) }
	if owner := m.owner(key); owner != "" {
		return m.peers.RepairOwned(ctx, key, owner, at, m.random())
	}
	return m.peers.Repair(ctx, key, at, m.random())
}
