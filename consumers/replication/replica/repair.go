package replica

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"sluice/consumers/replication/mark"
	"sluice/shared/consumer"
)

// Repair makes an item the same in all regions, where its changes don't any more:
// one got lost, or is a dead letter. The version with the newest mark goes to all
// regions, the home region's if none is newer, and counts as a change made there at
// a time, which at returns the mark of. What it overwrites is put into the conflict
// log. If the item was removed later than that, it is removed in all regions.
//
// What it returns is as for Apply; seed as for NewEdit. A change that is on its way
// wins only if it was made later than that time.
func (p *Peers) Repair(ctx context.Context, key Item, at func(region string) mark.Mark, seed uint64) error {
	versions, buried, err := p.look(ctx, key)
	if err != nil {
		return err
	}
	newest := slices.MaxFunc(versions, func(a, b version) int { return cmp.Compare(a.Mark, b.Mark) })
	if there := newest.Mark; buried.mark > there || newest.Deleting {
		return p.removeAll(ctx, key, max(buried.mark, there), buried.history)
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
		if v.item == nil || sameData(v.item, &Edit{Key: key, Item: newest.item}) {
			continue
		}
		loser := v.Mark
		if loser == "" || loser == newest.Mark {
			loser = at(v.table.Region)
		}
		if err := p.note(ctx, key, loser, v.item); err != nil {
			return err
		}
	}
	return p.from(newest.table).Apply(ctx, e)
}

// RepairOwned is Repair for an item that one region owns: what that holds goes to
// the other regions.
func (p *Peers) RepairOwned(ctx context.Context, key Item, owner string, at func(region string) mark.Mark, seed uint64) error {
	p = p.from(p.peer(owner))
	held, err := p.Home.get(ctx, key)
	if err != nil {
		return err
	}
	state, err := StateIn(held)
	if err != nil {
		return p.Home.foreign(err)
	}
	delete(held, mark.Attribute)
	return p.ApplyOwned(ctx, version{table: p.Home, item: held, State: state}.edit(key, at(owner), seed), owner)
}

// RepairRanked makes an item the same in all regions, where an attribute ranks its
// versions: the greatest that any region holds goes to the others, or is removed
// where a tombstone is as great. What it overwrites is kept in the conflict log.
// What it returns is as for ApplyRanked. It is safe beside changes of any age.
func (p *Peers) RepairRanked(ctx context.Context, key Item, attribute string) error {
	greatest := &Ranked{Key: key, attribute: attribute, created: p.Home.Now().UnixMicro()}
	for _, t := range p.all() {
		held, err := t.get(ctx, key)
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
		buried, err := t.buriedRank(ctx, key)
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
	for _, t := range p.all() {
		if greatest.item == nil {
			parts = append(parts, t.At(p.buryAndClear(ctx, t, greatest)))
		} else {
			parts = append(parts, t.At(p.raise(ctx, t, greatest)))
		}
	}
	return consumer.Combine(parts)
}

// version is what a region holds of an item.
type version struct {
	table *Table
	item  Item // without mark.Attribute; nil: there is none
	State
}

// edit returns a version as a change that was made with a mark, in knowledge of
// all that is in it.
func (v version) edit(key Item, m mark.Mark, seed uint64) *Edit {
	m = mark.New(max(m.Clock(), v.clock()+1), m.Created(), 0, v.table.Region)
	return &Edit{
		Key: key, Item: v.item, Mark: m, History: v.History.With(m), before: v.State, after: v.State, seed: seed,
		Unsure: true, // nobody knows what became of its changes
	}
}

func (v version) clock() int64 {
	if v.Mark == "" {
		return 0
	}
	return v.Mark.Clock()
}

// tombstone is the newest one of an item, in whichever region.
type tombstone struct {
	mark    mark.Mark
	history History
}

// look reads an item in all regions, the home region first.
func (p *Peers) look(ctx context.Context, key Item) ([]version, tombstone, error) {
	var versions []version
	var newest tombstone
	for _, t := range p.all() {
		m, history, err := t.buried(ctx, key)
		if err != nil {
			return nil, newest, err
		}
		if m > newest.mark {
			newest = tombstone{m, history}
		}
		v := version{table: t}
		if v.item, err = t.get(ctx, key); err != nil {
			return nil, newest, err
		}
		if v.State, err = StateIn(v.item); err != nil {
			return nil, newest, t.foreign(err)
		}
		delete(v.item, mark.Attribute)
		versions = append(versions, v)
	}
	return versions, newest, nil
}

// removeAll removes what is older than a mark from all regions, and leaves a
// tombstone in each.
func (p *Peers) removeAll(ctx context.Context, key Item, m mark.Mark, history History) error {
	for _, t := range p.all() {
		if _, err := t.buryWith(ctx, key, m, history); err != nil {
			return err
		}
		if _, err := p.deleteOlder(ctx, t, removal{key: key, mark: m, history: history, markless: true}); err != nil {
			return err
		}
	}
	return nil
}

// all returns the tables of all regions, the home region's first.
func (p *Peers) all() []*Table { return append([]*Table{p.Home}, p.Other...) }

// from returns the same tables as a region sees them.
func (p *Peers) from(home *Table) *Peers {
	return &Peers{Home: home, Other: slices.DeleteFunc(p.all(), func(t *Table) bool { return t == home }), Conflicts: p.Conflicts}
}
