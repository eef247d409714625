package lastwriter

import (
	"context"
	"maps"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/consumers/replication/internal/store"
	"sluice/consumers/replication/mark"
	"sluice/shared/consumer"
)

// Rule applies changes to a table that applications write to in several regions. It is
// safe for concurrent use.
type Rule struct{ *store.Peers }

// Apply brings a change made at home to all regions, and marks its item at home.
// Echoes are skipped, but for a look at what came to be. Apply returns what became of the
// edit: nil, consumer.Duplicate, consumer.Stale, consumer.Skip, a consumer.Rejection, or an
// error after which it has to be called again.
func (r Rule) Apply(ctx context.Context, e *Edit) error {
	if e.Echo() {
		if e.appeared() {
			if err := r.lookBack(ctx, e.Key, e.item, e.after.Mark); err != nil {
				return r.Home.At(err)
			}
		}
		return consumer.Skip
	}
	if err := r.Home.Admit(e.Mark.Created()); err != nil {
		return err
	}
	var parts []error
	for _, t := range r.Other {
		if e.item == nil {
			parts = append(parts, t.At(r.remove(ctx, t, e)))
		} else {
			parts = append(parts, t.At(r.put(ctx, t, e)))
		}
	}
	if e.item == nil {
		parts = append(parts, r.Home.At(r.remove(ctx, r.Home, e)))
	} else {
		parts = append(parts, r.Home.At(r.markHome(ctx, e)))
	}
	return consumer.Combine(parts)
}

// put writes an edit to another region's table.
//
// The first try replaces only what the edit's writer had before him, or what lost
// to that already. What is newer, but older than the edit, loses to it, and has to
// be kept before it is overwritten.
func (r Rule) put(ctx context.Context, t *store.Table, e *Edit) error {
	limit := e.before.Mark
	for range store.MaxTries {
		held, refused, err := t.Replace(ctx, e.itemWith(e.stateWith(e.name())), upTo(limit).of(e.Key))
		if err != nil {
			return err
		}
		there, err := stateIn(held)
		if err != nil {
			return t.Foreign(err)
		}
		t.NoteTie(e.Mark, there.Mark)
		switch {
		case !refused:
			return nil
		case there.Mark < e.Mark:
			if err := r.lost(ctx, e.Key, there.Mark, held, e.history); err != nil {
				return err
			}
			limit = there.Mark
		default:
			return r.stale(ctx, t, e, there)
		}
	}
	return t.TooBusy()
}

// stale ends an edit that finds itself or something newer.
func (r Rule) stale(ctx context.Context, t *store.Table, e *Edit, there itemState) error {
	if there.Deleting { // whoever wanted to delete it may have died
		if err := deleteMarked(ctx, t, e.Key, there.Mark); err != nil {
			return err
		}
	}
	if there.Mark == e.Mark {
		return consumer.Duplicate
	}
	if err := r.lost(ctx, e.Key, e.Mark, e.item, there.History); err != nil {
		return err
	}
	return consumer.Stale
}

// lookBack looks after an item that came to be in the home table with a mark: its
// writer found nothing there, and doesn't know why. If the item was removed later
// than that, it goes again. The home table's own stream tells, since a call may
// arrive when its caller is long gone.
func (r Rule) lookBack(ctx context.Context, key, item store.Item, m mark.Mark) error {
	buried, history, err := readTombstone(ctx, r.Home, key)
	if err != nil {
		return err
	}
	r.Home.NoteTie(m, buried)
	if buried <= m {
		return nil
	}
	if err := r.lost(ctx, key, m, item, history); err != nil {
		return err
	}
	_, err = r.deleteOlder(ctx, r.Home, removal{key: key, mark: buried, history: history, limit: m, markless: true})
	return err
}

// remove writes the edit's tombstone and removes the item if it is older.
func (r Rule) remove(ctx context.Context, t *store.Table, e *Edit) error {
	before, err := writeTombstone(ctx, t, e.Key, e.Mark, e.history)
	if err != nil {
		return err
	}
	t.NoteTie(e.Mark, before)
	old := removal{key: e.Key, mark: e.Mark, history: e.history, limit: e.before.Mark, markless: t != r.Home}
	if t == r.Home {
		// It is gone, unless it has been put again; a read is cheaper than to be refused.
		held, err := t.Get(ctx, e.Key)
		if err != nil {
			return err
		}
		if held == nil {
			return outcomeOf(before, e.Mark)
		}
	}
	deleted, err := r.deleteOlder(ctx, t, old)
	switch {
	case err != nil:
		return err
	case !deleted:
		return consumer.Stale
	}
	return outcomeOf(before, e.Mark)
}

// outcomeOf is what became of a change where before was the newest.
func outcomeOf(before, m mark.Mark) error {
	switch {
	case before == m:
		return consumer.Duplicate
	case before > m:
		return consumer.Stale
	}
	return nil
}

// removal says what deleteOlder has to remove.
type removal struct {
	key     store.Item
	mark    mark.Mark // older items are removed
	history history
	limit   mark.Mark // what is up to it needn't be looked at first
	// markless: an item without a mark counts as older. At home it is one that was
	// put after the remove.
	markless bool
}

// deleteOlder removes an item if everything in it is older: first it marks it as
// being deleted, so that its region's consumer knows the delete for an echo, then
// it deletes it. It tells false if the item is newer.
func (r Rule) deleteOlder(ctx context.Context, t *store.Table, old removal) (bool, error) {
	deleting := itemState{Mark: old.mark, Deleting: true, History: old.history}
	for range store.MaxTries {
		condition := upTo(old.limit)
		condition.present, condition.marked = true, !old.markless
		held, refused, err := t.SetReserved(ctx, old.key, deleting.value(), condition.of(old.key))
		if err != nil {
			return false, err
		}
		if !refused {
			return true, deleteMarked(ctx, t, old.key, old.mark)
		}
		if held == nil {
			return true, nil
		}
		there, err := stateIn(held)
		if err != nil {
			return false, t.Foreign(err)
		}
		t.NoteTie(old.mark, there.Mark)
		switch {
		case there.Mark == old.mark && there.Deleting:
			return true, deleteMarked(ctx, t, old.key, old.mark)
		case there.Mark >= old.mark || there.Mark == "" && !old.markless:
			return false, nil
		}
		if err := r.lost(ctx, old.key, there.Mark, held, old.history); err != nil {
			return false, err
		}
		old.limit = there.Mark
	}
	return false, t.TooBusy()
}

// markHome marks an edit's item at home, so that older changes of other regions are
// refused there. If one of them has overwritten the item, it is put back.
func (r Rule) markHome(ctx context.Context, e *Edit) error {
	held, there := e.item, e.after // as the change left it, most likely
	for try := range store.MaxTries {
		var refused bool
		var err error
		switch {
		case held == nil:
			held, refused, err = r.putBack(ctx, e)
		case try > 0 && there.Mark != "" && there.Mark >= e.Mark:
			if err := r.lookBackAfter(ctx, e); err != nil {
				return err
			}
			return r.stale(ctx, r.Home, e, there)
		default:
			held, refused, err = r.stamp(ctx, e, held, there)
		}
		if err != nil || !refused {
			return err
		}
		if there, err = stateIn(held); err != nil {
			return r.Home.Foreign(err)
		}
		r.Home.NoteTie(e.Mark, there.Mark)
	}
	return r.Home.TooBusy()
}

// putBack puts an edit's item into the home table, where there is none, unless
// something newer or an application removed it.
func (r Rule) putBack(ctx context.Context, e *Edit) (held store.Item, refused bool, err error) {
	buried, history, err := readTombstone(ctx, r.Home, e.Key)
	if err != nil {
		return nil, false, err
	}
	if buried == "" {
		return nil, false, consumer.Stale // removed here, by an application: its own change says so
	}
	if buried > e.Mark {
		if err := r.lost(ctx, e.Key, e.Mark, e.item, history); err != nil {
			return nil, false, err
		}
		return nil, false, consumer.Stale
	}
	// What was removed was an older change, not the edit.
	return r.Home.Replace(ctx, e.itemWith(e.stateWith(e.name())), store.Absent(e.Key))
}

// stamp marks the edit's item in the home table, which is held with the state
// there. If what is held isn't the edit's data any more, that is older: the edit's
// is put back over it.
func (r Rule) stamp(ctx context.Context, e *Edit, held store.Item, there itemState) (now store.Item, refused bool, err error) {
	if there.Mark == "" || there.Base == e.after.Base && !there.Deleting {
		now, refused, err = r.Home.SetReserved(ctx, e.Key, e.stateWith(there.Base).value(), exactly(there).of(e.Key))
	} else {
		if err := r.lost(ctx, e.Key, there.Mark, held, e.history); err != nil {
			return nil, false, err
		}
		now, refused, err = r.Home.Replace(ctx, e.itemWith(e.stateWith(e.name())), exactly(there).of(e.Key))
	}
	if err != nil || refused {
		return now, refused, err
	}
	return nil, false, r.lookBackAfter(ctx, e)
}

// lookBackAfter looks back after an item that the edit brought to be, or may have.
func (r Rule) lookBackAfter(ctx context.Context, e *Edit) error {
	if e.inserted || e.Unsure { // as if replication had put it there
		return r.lookBack(ctx, e.Key, e.item, e.Mark)
	}
	return nil
}

// itemWith is the edit's item with a state.
func (e *Edit) itemWith(s itemState) store.Item {
	item := maps.Clone(e.item)
	maps.Copy(item, e.Key) // the images need not have it
	item[mark.Attribute] = s.value()
	return item
}

// deleteMarked deletes an item that is marked as being deleted, unless somebody else has,
// or it isn't to be deleted any more.
func deleteMarked(ctx context.Context, t *store.Table, key store.Item, m mark.Mark) error {
	_, _, err := t.Delete(ctx, key, exactly(itemState{Mark: m, Deleting: true}).of(key), types.ReturnValueNone)
	return err
}
