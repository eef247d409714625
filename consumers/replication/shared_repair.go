package replication

import (
	"context"

	"sluice/consumers/replication/internal/store"
	"sluice/consumers/replication/mark"
)

// repair makes an item of the table the same in all regions, by the table's
// conflict rule; see lastwriter.Rule and ranked.Rule.
func (m *Mirror) repair(ctx context.Context, key store.Item) error {
	if m.attribute != "" {
		return m.ranked.Repair(ctx, key, m.attribute)
	}
	now := m.peers.Home.Now()
	at := func(region string) mark.Mark { return scannedMark(now, region) }
	if owner := m.owner(key); owner != "" {
		return m.lastWriter.RepairOwned(ctx, key, owner, at, m.random())
	}
	return m.lastWriter.Repair(ctx, key, at, m.random())
}
