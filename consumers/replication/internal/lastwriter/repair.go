package lastwriter

import (
	"cmp"
	"context"
	"slices"

	"sluice/consumers/replication/internal/store"
	"sluice/consumers/replication/mark"
)

// Repair makes an item the same in all regions, where its changes don't any more:
// one got lost, or is a dead letter. The version with the newest mark goes to all
// regions, the home region's if none is newer, and counts as a change made there at
// a time, which at returns the mark of. What it overwrites is put into the conflict
// log. If the item was removed later than that, it is removed in all regions.
//
// What it returns is as for Apply; seed as for NewEdit. A change that is on its way
// wins only if it was made later than that time.
func (r Rule) Repair(ctx context.Context, key store.Item, at func(region string) mark.Mark, seed uint64) error {
	versions, buried, err := r.readAll(ctx, key)
	if err != nil {
		return err
	}
	newest := slices.MaxFunc(versions, func(a, b version) int { return cmp.Compare(a.Mark, b.Mark) })
	if there := newest.Mark; buried.mark > there || newest.Deleting {
		return r.removeAll(ctx, key, max(buried.mark, there), buried.history)
	}
	if newest.item == nil { // none has a mark
		i := slices.IndexFunc(versions, func(v version) bool { return v.item != nil })
		if i < 0 {
			return nil // gone meanwhile
		}
		newest = versions[i]
	}
	e := newest.edit(key, at(newest.table.Region), seed)
	for _, v := range versions {
		if v.item == nil || sameData(v.item, &Edit{Key: key, item: newest.item}) {
			continue
		}
		loser := v.Mark
		if loser == "" || loser == newest.Mark {
			loser = at(v.table.Region)
		}
		if err := r.note(ctx, key, loser, v.item); err != nil {
			return err
		}
	}
	return r.from(newest.table).Apply(ctx, e)
}

// RepairOwned is Repair for an item that one region owns: what that holds goes to
// the other regions.
func (r Rule) RepairOwned(ctx context.Context, key store.Item, owner string, at func(region string) mark.Mark, seed uint64) error {
	r = r.from(r.In(owner))
	held, err := r.Home.Get(ctx, key)
	if err != nil {
		return err
	}
	state, err := stateIn(held)
	if err != nil {
		return r.Home.Foreign(err)
	}
	delete(held, mark.Attribute)
	return r.ApplyOwned(ctx, version{table: r.Home, item: held, itemState: state}.edit(key, at(owner), seed), owner)
}

// version is what a region holds of an item.
type version struct {
	table *store.Table
	item  store.Item // without mark.Attribute; nil: there is none
	itemState
}

// edit returns a version as a change that was made with a mark, in knowledge of
// all that is in it.
func (v version) edit(key store.Item, m mark.Mark, seed uint64) *Edit {
	m = mark.New(max(m.Clock(), v.Mark.Clock()+1), m.Created(), 0, v.table.Region)
	return &Edit{
		Key: key, item: v.item, Mark: m, history: v.History.with(m), before: v.itemState, after: v.itemState, seed: seed,
		Unsure: true, // nobody knows what became of its changes
	}
}

// tombstone is the newest one of an item, in whichever region.
type tombstone struct {
	mark    mark.Mark
	history history
}

// readAll reads an item in all regions, the home region first.
func (r Rule) readAll(ctx context.Context, key store.Item) ([]version, tombstone, error) {
	var versions []version
	var newest tombstone
	for _, t := range r.All() {
		m, history, err := readTombstone(ctx, t, key)
		if err != nil {
			return nil, newest, err
		}
		if m > newest.mark {
			newest = tombstone{m, history}
		}
		v := version{table: t}
		if v.item, err = t.Get(ctx, key); err != nil {
			return nil, newest, err
		}
		if v.itemState, err = stateIn(v.item); err != nil {
			return nil, newest, t.Foreign(err)
		}
		delete(v.item, mark.Attribute)
		versions = append(versions, v)
	}
	return versions, newest, nil
}

// removeAll removes what is older than a mark from all regions, and leaves a
// tombstone in each.
func (r Rule) removeAll(ctx context.Context, key store.Item, m mark.Mark, history history) error {
	for _, t := range r.All() {
		if _, err := writeTombstone(ctx, t, key, m, history); err != nil {
			return err
		}
		if _, err := r.deleteOlder(ctx, t, removal{key: key, mark: m, history: history, markless: true}); err != nil {
			return err
		}
	}
	return nil
}

// from returns the rule as a region applies it.
func (r Rule) from(home *store.Table) Rule { return Rule{r.From(home)} }
