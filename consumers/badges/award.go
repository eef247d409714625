package badges

import (
	"context"
	"errors"
	"slices"
	"time"

	"sluice/consumers/badges/rule"
	"sluice/shared/change"
	"sluice/shared/consumer"
)

// award stores what the batch's changes have earned the player, and finds what has yet
// to be told.
//
// Mostly no call is needed: a write that changed an item of the state tells what its sums
// were before and are now, so it is known which awards that very write has earned. The
// player's awards are read if that isn't known, or the changes came before: then an
// earlier delivery may have died before it stored or told something. They are read, too,
// for rules that look at several items of the state.
func (p *player) award(ctx context.Context) error {
	earned, settle, unsure, err := p.earned(ctx)
	if err != nil {
		return err
	}
	if unsure {
		if err := p.read(ctx); err != nil {
			return err
		}
	}
	for _, e := range earned {
		if p.has(e.Award) {
			continue
		}
		if _, err := p.storeOr(ctx, e.rule, e.Award, e.at, p.causes[e.Key()]); err != nil {
			return err
		}
	}
	for i := range p.items {
		if err := p.storeItem(ctx, &p.items[i]); err != nil {
			return err
		}
	}
	for _, r := range settle {
		if err := p.settle(ctx, r); err != nil {
			return err
		}
	}
	return p.combine(ctx)
}

// maxOthersUntold bounds how many notices of values, whose changes this batch hasn't, a
// player is told in one batch.
const maxOthersUntold = 100

// read reads what the player has. What has yet to be told is told again: the function that
// stored it may be gone.
//
// A player may have a million awards for values of an attribute, such as made-up games. Of
// these it keeps only what is needed: the awards that the batch's changes earn, one for the
// rules of kind All, and some that have yet to be told. The others' own changes come again.
func (p *player) read(ctx context.Context) error {
	p.stored, p.known = nil, map[string]bool{}
	one, untold := map[string]bool{}, 0
	err := p.table.eachOf(ctx, p.name, func(a *Achievement) {
		r, badge := p.book.Rule(a.Award.Badge), a.Award.Badge
		many := !p.whole && (r == nil || r.Valued() && !r.Revoke) && p.causes[a.Award.Key()] == nil
		switch {
		case !many:
		case a.Pending != "" && untold < maxOthersUntold:
			untold++
		case one[badge] || a.RevokedAt != "":
			return
		}
		one[badge] = one[badge] || a.RevokedAt == ""
		p.knows(a)
	})
	return p.at(p.table.reads(), err)
}

func (p *player) has(award rule.Award) bool { return p.known[award.Key()] }

// knows notes an award that is stored.
func (p *player) knows(a *Achievement) {
	p.stored = append(p.stored, a)
	p.known[a.Award.Key()] = true
	p.memory.remember(p.name, a)
	p.tellLater(a)
}

// tellLater notes what has yet to be told, once.
func (p *player) tellLater(a *Achievement) {
	if key := a.Award.Key(); a.Pending != "" && !p.waiting[key] {
		p.untold = append(p.untold, a)
		p.waiting[key] = true
	}
}

// store stores an award, and tells whether it wasn't yet.
func (p *player) store(ctx context.Context, r *rule.Rule, a rule.Award, at string, value func(string) (string, error)) (now bool, err error) {
	achievement, err := p.achievement(r, p.name, a, at, value)
	if err != nil {
		return false, consumer.Reject(err)
	}
	achievement, now, err = p.table.put(ctx, achievement)
	if err = p.at(p.table.puts(), err); err != nil {
		return false, err
	}
	if now {
		p.count("Awarded")
	}
	p.knows(achievement)
	p.wrote = true
	return now, nil
}

// storeOr is store for an award that the changes earn, nil for all of the player's: if it is
// refused for good, they are dead letters, and the player's other awards are stored all the same.
func (p *player) storeOr(ctx context.Context, r *rule.Rule, a rule.Award, at string, changes []int) (refused bool, err error) {
	_, err = p.store(ctx, r, a, at, nil)
	if consumer.OutcomeOf(err) == consumer.Rejected {
		p.faults[a.Key()] = err
		p.ended(changes, consumer.In("badge "+r.Name, err))
		return true, nil
	}
	return false, err
}

// achievement makes what is stored of an award, with the notice that is to be told.
func (b *Badges) achievement(r *rule.Rule, name string, a rule.Award, at string, value func(string) (string, error)) (*Achievement, error) {
	achievement := &Achievement{Player: name, Award: a, EarnedAt: at, AwardedAt: b.Now().UTC().Format(time.RFC3339Nano)}
	if r.Quiet {
		return achievement, nil
	}
	var err error
	achievement.EventType = r.EventType
	if achievement.Pending, err = b.notice.of(r, achievement, value); err != nil {
		return nil, err
	}
	notice := achievement.notice()
	return achievement, notice.check()
}

// storeItem stores what an item has earned.
func (p *player) storeItem(ctx context.Context, i *itemAward) error {
	c := p.batch[i.index]
	switch stored, err := p.formerly(ctx, i.award, c); {
	case consumer.OutcomeOf(err) == consumer.Retry:
		return err
	case stored:
		i.outcome = consumer.Duplicate
		return nil
	}
	now, err := p.store(ctx, i.rule, i.award, c.Time().Format(time.RFC3339Nano), func(name string) (string, error) { return rule.Text(c, name) })
	if consumer.OutcomeOf(err) == consumer.Rejected {
		i.outcome = consumer.In("badge "+i.rule.Name, err) // that item's alone
		return nil
	}
	if err != nil {
		return err
	}
	if i.outcome = consumer.At(p.table.puts(), nil); !now {
		i.outcome = consumer.At(p.table.puts(), consumer.Duplicate)
	}
	return nil
}

// formerly reports whether the item's award is stored under the key that it had earlier. That
// key may be another item's too: it is this one's if the change is the one that earned it.
func (p *player) formerly(ctx context.Context, a rule.Award, c *change.Change) (bool, error) {
	if a.Formerly == "" {
		return false, nil
	}
	stored, err := p.table.one(ctx, p.name, a.Formerly)
	if err = p.at(p.table.reads(), err); err != nil || stored == nil || stored.EarnedAt != c.Time().Format(time.RFC3339Nano) {
		return false, err
	}
	p.causes[a.Formerly] = append(p.causes[a.Formerly], p.causes[a.Key()]...)
	p.knows(stored)
	return true, nil
}

// combine stores the awards that others earn together. After something was stored all is
// read anew: of two instances that each store a part, the later one sees both.
func (p *player) combine(ctx context.Context) (err error) {
	if len(p.stored) == 0 || !p.book.Combines() {
		return nil
	}
	refused := map[string]bool{} // by key
	for {
		if p.wrote {
			if err := p.read(ctx); err != nil {
				return err
			}
			p.wrote = false
		}
		var awards []rule.Award
		for _, a := range p.stored {
			if a.RevokedAt == "" {
				awards = append(awards, a.Award)
			}
		}
		earned := slices.DeleteFunc(p.book.Combine(awards), func(a rule.Award) bool { return refused[a.Key()] })
		for _, a := range earned {
			if refused[a.Key()], err = p.storeOr(ctx, p.book.Rule(a.Badge), a, p.newest(), nil); err != nil {
				return err
			}
		}
		if len(earned) == 0 {
			return nil
		}
	}
}

// maxSettling is how often settle looks at a state that keeps changing.
const maxSettling = 20

var errUnsettled = errors.New("the player's plays keep being corrected")

// settle makes the awards of a rule with Revoke what the whole state earns. After each
// write it looks again: whoever changed the state meanwhile has looked before the write,
// or will see it.
func (p *player) settle(ctx context.Context, r *rule.Rule) error {
	refused := map[string]bool{} // by key
	for range maxSettling {
		state, err := p.stateOf(ctx, "", "")
		if err != nil {
			return err
		}
		if err := p.read(ctx); err != nil {
			return err
		}
		earned := r.Earned(state, p.today())
		changed := false
		for _, a := range earned {
			if refused[a.Key()] {
				continue
			}
			done, err := p.give(ctx, r, a)
			if refused[a.Key()] = consumer.OutcomeOf(err) == consumer.Rejected; refused[a.Key()] {
				p.faults[a.Key()] = err
				if changes := p.causes[a.Key()]; changes != nil { // else the change that earned it is a dead letter already
					p.ended(changes, consumer.In("badge "+r.Name, err))
				}
				continue
			}
			if err != nil {
				return err
			}
			changed = changed || done
		}
		for _, s := range p.stored {
			stands := s.RevokedAt == "" && s.Award.Badge == r.Name
			if !stands || hasAward(earned, s.Award) {
				continue
			}
			if err := p.at(p.table.updates(), p.table.revoke(ctx, s, p.Now())); err != nil {
				return err
			}
			p.count("Revoked")
			changed = true
		}
		if !changed {
			return nil
		}
	}
	return errUnsettled
}

// give stores an award of a rule with Revoke, or restores it; it tells whether anything had
// to be done.
func (p *player) give(ctx context.Context, r *rule.Rule, a rule.Award) (bool, error) {
	for _, s := range p.stored {
		if s.Award.Key() != a.Key() {
			continue
		}
		if s.RevokedAt == "" {
			return false, nil
		}
		p.count("Restored")
		return true, p.at(p.table.updates(), p.table.restore(ctx, s))
	}
	at := a.On
	if at == "" {
		at = p.newest()
	}
	_, err := p.store(ctx, r, a, at, nil)
	return true, err
}
