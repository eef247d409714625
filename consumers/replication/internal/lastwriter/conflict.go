package lastwriter

import (
	"context"
	"time"

	"sluice/consumers/replication/internal/store"
	"sluice/consumers/replication/mark"
)

// lost keeps a version of an item that loses, unless the winner was made in
// knowledge of it. The winner's history is given.
func (r Rule) lost(ctx context.Context, key store.Item, loser mark.Mark, version store.Item, winner history) error {
	if loser == "" || winner.has(loser) {
		return nil // without a mark, its own change comes and tells
	}
	return r.note(ctx, key, loser, version)
}

// KeepUnseen keeps the version of a home edit over which another region's was copied, if the writer of that didn't have it before
// him. copied is the echo that follows the edit. Call it for an edit that won't be applied by itself: what an application wrote after
// the echo has the edit in its history, since that has one time for a region, and so hides that nobody had seen it.
func (r Rule) KeepUnseen(ctx context.Context, e, copied *Edit) error {
	if e.Echo() || !copied.Echo() || copied.after.Mark <= e.Mark {
		return nil
	}
	return r.lost(ctx, e.Key, e.Mark, e.item, copied.after.History)
}

// note puts a version that lost into the log of the region in which it was
// written. It is there once, whoever finds it lost, and how often.
func (r Rule) note(ctx context.Context, key store.Item, loser mark.Mark, version store.Item) error {
	if version == nil {
		return nil // a remove: there is nothing to keep
	}
	written := time.UnixMicro(loser.Created()).UTC()
	return r.KeepLost(ctx, r.In(loser.Region()), key, version, store.Lost{Name: loser.Value(), At: written, Says: store.ConflictTime})
}
