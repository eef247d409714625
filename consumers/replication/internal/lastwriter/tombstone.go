package lastwriter

import (
	"context"

	"sluice/consumers/replication/internal/store"
	"sluice/consumers/replication/mark"
)

// tombstoneHistory is an attribute of a tombstone: what the change that removed the item
// was made in knowledge of. Only this rule writes it.
const tombstoneHistory = "History"

// writeTombstone writes the item's tombstone unless there is a newer one. It returns the mark of the
// one that was there if it was not older.
func writeTombstone(ctx context.Context, t *store.Table, key store.Item, m mark.Mark, history history) (mark.Mark, error) {
	var more store.Item
	if len(history) > 0 {
		more = store.Item{tombstoneHistory: history.value()}
	}
	return t.Bury(ctx, key, m, more)
}

// readTombstone returns the mark and the history of the item's tombstone, empty if there is none.
func readTombstone(ctx context.Context, t *store.Table, key store.Item) (mark.Mark, history, error) {
	m, tombstone, err := t.Buried(ctx, key)
	if err != nil {
		return "", nil, err
	}
	h, err := historyOf(tombstone[tombstoneHistory])
	if err != nil {
		return "", nil, t.TombstoneFault(tombstoneHistory, err)
	}
	return m, h, nil
}
