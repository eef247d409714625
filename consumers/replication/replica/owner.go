package replica

import (
	"context"
	"reflect"

	"sluice/consumers/replication/mark"
	"sluice/shared/consumer"
)

// ApplyOwned is Apply for an item that one region owns: only what is written there
// counts, and is copied as by Table. What an application writes to it in another
// region loses: it is kept in the conflict log, and the owner's item takes its
// place. What it returns is as for Table.Put; consumer.Stale is what lost.
//
// It costs no mark at home: one write for a put in each other region, two for a
// remove there; and in these a read for each item that came to be, and one or two
// for each removed.
func (p *Peers) ApplyOwned(ctx context.Context, e *Edit, owner string) error {
	if owner != p.Home.Region {
		return p.Home.At(p.undo(ctx, e, owner))
	}
	var parts []error
	m := mark.New(e.Mark.Created(), e.Mark.Created(), e.hash, owner)
	for _, t := range p.Other {
		if e.Item == nil {
			parts = append(parts, t.At(t.Remove(ctx, e.Key, m)))
		} else {
			parts = append(parts, t.At(t.Put(ctx, e.Key, e.item(State{Mark: m}), m, e.Unsure)))
		}
	}
	return consumer.Combine(parts)
}

// undo looks after a change in a region that doesn't own the item.
func (p *Peers) undo(ctx context.Context, e *Edit, owner string) error {
	t := p.Home
	known := e.before.Mark
	switch {
	case e.after.Mark != "" && (e.after.Mark != known || e.after.Base != e.before.Base): // a copy, or put back
		if !e.inserted {
			return consumer.Skip
		}
		if _, err := t.takeBack(ctx, e.Key, e.after.Mark); err != nil {
			return err
		}
		return consumer.Skip
	case e.Item == nil && known != "":
		buried, err := t.tombstone(ctx, e.Key)
		if err != nil {
			return err
		}
		if buried > known { // the owner has removed it
			return consumer.Skip
		}
	}
	owned, err := p.peer(owner).get(ctx, e.Key)
	if err != nil {
		return err
	}
	delete(owned, mark.Attribute)
	if sameData(owned, e) {
		return consumer.Skip
	}
	if err := p.note(ctx, e.Key, e.Mark, e.Item); err != nil {
		return err
	}
	switch {
	case owned == nil:
		err = t.deleteIf(ctx, e.Key, upTo(known)) // unless something newer has replaced it
	case known != "":
		// What the owner holds is as new as what was copied before, or newer. If it is
		// newer, its own copy is on its way.
		restored := *e
		restored.Item = owned
		var refused bool
		_, refused, err = t.replace(ctx, restored.item(State{Mark: known, Base: e.name()}), upTo(known).of(e.Key))
		if err == nil && !refused {
			_, err = t.takeBack(ctx, e.Key, known)
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
func sameData(owned Item, e *Edit) bool {
	if owned == nil || e.Item == nil {
		return owned == nil && e.Item == nil
	}
	left := e.item(State{})
	delete(left, mark.Attribute)
	return reflect.DeepEqual(owned, left)
}

// peer returns the table in a region; the home table for an unknown one.
func (p *Peers) peer(region string) *Table {
	for _, t := range p.Other {
		if t.Region == region {
			return t
		}
	}
	return p.Home
}
