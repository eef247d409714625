package lastwriter

import (
	"context"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/consumers/replication/internal/oneway"
	"sluice/consumers/replication/internal/store"
	"sluice/consumers/replication/mark"
	"sluice/shared/consumer"
)

// ApplyOwned is Apply for an item that one region owns: only what is written there
// counts, and is copied as by oneway.Copy. What an application writes to it in another
// region loses: it is kept in the conflict log, and the owner's item takes its
// place. What it returns is as for Apply; consumer.Stale is what lost.
//
// It costs no mark at home: one write for a put in each other region, two for a
// remove there; and in these a read for each item that came to be, and one or two
// for each removed.
func (r Rule) ApplyOwned(ctx context.Context, e *Edit, owner string) error {
	if owner != r.Home.Region {
		return r.Home.At(r.undo(ctx, e, owner))
	}
	var parts []error
	m := mark.New(e.Mark.Created(), e.Mark.Created(), e.hash, owner)
	for _, t := range r.Other {
		c := oneway.Copy{Table: t}
		if e.item == nil {
			parts = append(parts, c.At(c.Remove(ctx, e.Key, m)))
		} else {
			parts = append(parts, c.At(c.Put(ctx, e.Key, e.itemWith(itemState{Mark: m}), m, e.Unsure)))
		}
	}
	return consumer.Combine(parts)
}

// undo looks after a change in a region that doesn't own the item.
func (r Rule) undo(ctx context.Context, e *Edit, owner string) error {
	home := oneway.Copy{Table: r.Home}
	known := e.before.Mark
	switch {
	case e.after.Mark != "" && (e.after.Mark != known || e.after.Base != e.before.Base): // a copy, or put back
		if !e.inserted {
			return consumer.Skip
		}
		if _, err := home.TakeBack(ctx, e.Key, e.after.Mark); err != nil {
			return err
		}
		return consumer.Skip
	case e.item == nil && known != "":
		buried, _, err := home.Buried(ctx, e.Key)
		if err != nil {
			return err
		}
		if buried > known { // the owner has removed it
			return consumer.Skip
		}
	}
	owned, err := r.In(owner).Get(ctx, e.Key)
	if err != nil {
		return err
	}
	delete(owned, mark.Attribute)
	if sameData(owned, e) {
		return consumer.Skip
	}
	if err := r.note(ctx, e.Key, e.Mark, e.item); err != nil {
		return err
	}
	switch {
	case owned == nil:
		_, _, err = home.Delete(ctx, e.Key, upTo(known).of(e.Key), types.ReturnValueNone) // unless something newer has replaced it
	case known != "":
		// What the owner holds is as new as what was copied before, or newer. If it is
		// newer, its own copy is on its way.
		restored := *e
		restored.item = owned
		var refused bool
		_, refused, err = home.Replace(ctx, restored.itemWith(itemState{Mark: known, Base: e.name()}), upTo(known).of(e.Key))
		if err == nil && !refused {
			_, err = home.TakeBack(ctx, e.Key, known)
		}
	default:
		// Over an item without a mark: a copy is on its way, or the change that
		// removed the mark comes too.
	}
	if err != nil {
		return err
	}
	return consumer.Stale
}

// sameData tells whether the owner's item is what the edit left.
func sameData(owned store.Item, e *Edit) bool {
	if owned == nil || e.item == nil {
		return owned == nil && e.item == nil
	}
	left := e.itemWith(itemState{})
	delete(left, mark.Attribute)
	return reflect.DeepEqual(owned, left)
}
