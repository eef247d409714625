package badges

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"sluice/consumers/badges/internal/awards"
	"sluice/consumers/badges/rule"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/keeper"
)

// player is one player of a batch.
type player struct {
	awards  *awards.Player
	batch   []*change.Change // that all indexes are of
	touched []keeper.Touched // items of the player's state
	items   []itemAward      // what rules of kind item award
	changes map[int]bool     // indexes of all changes that concern the player
}

// itemAward is an award that an item earns by being there.
type itemAward struct {
	rule    *rule.Rule
	award   rule.Award
	index   int   // of the change in the batch
	outcome error // Duplicate if the player has the award already
}

// players sorts what a batch has touched by player, in the order of their first changes: a
// batch may not fit its time, and its first change has to be done first.
func (b *Badges) players(batch []*change.Change, touched []keeper.Touched, outcomes [][]error) []*player {
	var players []*player
	byName := map[string]*player{}
	of := func(name string) *player {
		p := byName[name]
		if p == nil {
			p = &player{awards: b.giver.Player(name), batch: batch, changes: map[int]bool{}}
			byName[name] = p
			players = append(players, p)
		}
		return p
	}
	for _, t := range touched {
		p := of(change.TextOf(t.Key[rule.AttrPlayer]))
		p.touched = append(p.touched, t)
		for _, i := range t.Changes {
			p.changes[i] = true
		}
		p.awards.Plays = append(p.awards.Plays, b.playsOf(t, batch)...)
	}
	for i, c := range batch {
		for _, r := range b.book.Rules {
			name, award, err := r.OfItemChange(c)
			switch {
			case err != nil:
				outcomes[i] = append(outcomes[i], consumer.In("badge "+r.Name, consumer.Reject(err)))
			case name != "":
				p := of(name)
				p.cause([]rule.Award{award}, []int{i})
				p.items = append(p.items, itemAward{rule: r, award: award, index: i})
				p.changes[i] = true
			}
		}
	}
	slices.SortStableFunc(players, func(p, q *player) int { return cmp.Compare(p.first(), q.first()) })
	return players
}

// playsOf returns the plays of a batch that a touched item of a state is of, in their order.
func (b *Badges) playsOf(t keeper.Touched, batch []*change.Change) []rule.Play {
	var changes []*change.Change
	for _, i := range t.Changes {
		changes = append(changes, batch[i])
	}
	return b.book.PlaysOfView(t.View).InOrder(changes)
}

// first is the index of the player's first change.
func (p *player) first() int { return slices.Min(slices.Collect(maps.Keys(p.changes))) }

// cause notes that changes earn awards.
func (p *player) cause(earned []rule.Award, changes []int) {
	for _, a := range earned {
		p.awards.Causes[a.Key()] = append(p.awards.Causes[a.Key()], changes...)
	}
}

// awardPlayer stores what the batch's changes have earned the player, and finds what has yet
// to be told.
//
// Mostly no call is needed: a write that changed an item of the state returns what its sums
// were before and are now, so it is known which awards that very write has earned. The
// player's awards are read if that isn't known, or the changes came before: then an
// earlier delivery may have died before it stored or told something. They are read, too,
// for rules that look at several items of the state.
func (b *Badges) awardPlayer(ctx context.Context, p *player) error {
	e, err := b.earned(ctx, p)
	if err != nil {
		return err
	}
	if e.unsure {
		if err := p.awards.Load(ctx); err != nil {
			return err
		}
	}
	for _, a := range e.awards {
		if p.awards.Has(a.Award) {
			continue
		}
		if _, err := p.awards.GiveOrFail(ctx, a.rule, a.Award, a.at, p.awards.Causes[a.Key()]); err != nil {
			return err
		}
	}
	for i := range p.items {
		if p.items[i].outcome, err = b.giveItem(ctx, p, p.items[i]); err != nil {
			return err
		}
	}
	for _, r := range e.reconcile {
		if err := p.awards.Reconcile(ctx, r); err != nil {
			return err
		}
	}
	return p.awards.Combine(ctx)
}

// giveItem stores what an item has earned. It returns the outcome for the item's change alone, and an error of the whole player.
func (b *Badges) giveItem(ctx context.Context, p *player, i itemAward) (outcome, err error) {
	c := p.batch[i.index]
	switch stored, err := p.awards.FindFormer(ctx, i.award, c); {
	case consumer.OutcomeOf(err) == consumer.Retry:
		return nil, err
	case stored:
		return consumer.Duplicate, nil
	}
	isNew, err := p.awards.Give(ctx, i.rule, i.award, c.Time().Format(time.RFC3339Nano), c)
	switch {
	case consumer.OutcomeOf(err) == consumer.Rejected:
		return consumer.In("badge "+i.rule.Name, err), nil
	case err != nil:
		return nil, err
	case !isNew:
		return consumer.At(b.giver.Store.Puts(), consumer.Duplicate), nil
	}
	return consumer.At(b.giver.Store.Puts(), nil), nil
}

// spread adds the outcomes of the player's parts to those of the batch's changes. A
// destination that was reached counts as a duplicate: it leaves each change's outcome as it
// is, and shows that the destination works.
func (p *player) spread(outcomes [][]error) {
	all := slices.Collect(maps.Keys(p.changes))
	for destination := range p.awards.Reached {
		p.awards.Failures = append(p.awards.Failures, awards.Failure{Err: consumer.At(destination, consumer.Duplicate)})
	}
	for _, failure := range p.awards.Failures {
		changes := failure.Changes
		if changes == nil {
			changes = all
		}
		for _, i := range changes {
			outcomes[i] = append(outcomes[i], failure.Err)
		}
	}
	for _, item := range p.items {
		outcomes[item.index] = append(outcomes[item.index], item.outcome)
	}
}
