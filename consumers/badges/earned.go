package badges

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"sluice/consumers/badges/rule"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/keeper"
)

// earnedAward is one with its rule and when it was earned.
type earnedAward struct {
	rule.Award
	rule *rule.Rule
	at   string
}

// earned returns what the items of the state that were touched earn the player; which
// rules with Revoke have to be settled; and whether some awards may be stored already or
// others not.
func (p *player) earned(ctx context.Context) (earned []earnedAward, settle []*rule.Rule, unsure bool, err error) {
	spread := map[*rule.Rule][]string{} // the items that were touched, of rules that look at several
	today := p.today()
	for _, t := range p.touched {
		attributes, err := t.Attributes(ctx)
		if err != nil {
			return nil, nil, false, consumer.At(p.table.stateGets(), consumer.RejectRefused(err))
		}
		of := textOf(t.Key[rule.AttrOf])
		now := rule.State{of: tallies(attributes)}
		before := p.before(t, now[of])
		if day, isDay := rule.Day(of); isDay && day <= today && p.memory.looksAt(p.name, day) {
			before = nil
		}
		unsure = unsure || before == nil
		for _, r := range p.book.OfItem(of) {
			had, has := r.Earned(rule.State{of: before}, today), r.Earned(now, today)
			switch {
			case p.memory.hasAll(p.name, r), before != nil && !r.Moves(before, now[of], had, has):
			case r.Revoke:
				settle = append(settle, r)
				p.cause(has, t.Changes)
			case r.Spreads():
				spread[r] = append(spread[r], of)
			default:
				for _, a := range has {
					if !hasAward(had, a) {
						p.cause([]rule.Award{a}, t.Changes)
						earned = append(earned, earnedAward{a, r, p.when(t, r, of, before, a)})
					}
				}
			}
		}
	}
	of, err := p.earnedBySpread(ctx, spread)
	if err != nil {
		return nil, nil, false, err
	}
	earned, unsure = append(earned, of...), unsure || len(of) > 0
	slices.SortStableFunc(earned, func(a, b earnedAward) int { return strings.Compare(a.Key(), b.Key()) })
	slices.SortFunc(settle, func(a, b *rule.Rule) int { return strings.Compare(a.Name, b.Name) })
	return earned, slices.Compact(settle), unsure, nil
}

// cause notes that changes earn awards.
func (p *player) cause(awards []rule.Award, changes []int) {
	for _, a := range awards {
		p.causes[a.Key()] = append(p.causes[a.Key()], changes...)
	}
}

// stateOf reads the player's state.
func (p *player) stateOf(ctx context.Context, from, to string) (rule.State, error) {
	state, err := p.table.StateOf(ctx, p.name, from, to)
	return state, p.at(p.table.stateReads(), err)
}

// stateUntilEnough reads as much of the state as the rule needs to know what it earns.
func (p *player) stateUntilEnough(ctx context.Context, r *rule.Rule, from, to string) (rule.State, error) {
	state, err := p.table.stateUntil(ctx, p.name, from, to, r.Enough)
	return state, p.at(p.table.stateReads(), err)
}

func hasAward(all []rule.Award, award rule.Award) bool {
	return slices.ContainsFunc(all, func(a rule.Award) bool { return a.Key() == award.Key() })
}

// before returns an item's sums before the batch's only write; nil if that isn't known.
func (p *player) before(t keeper.Touched, now map[string]decimal.Decimal) map[string]decimal.Decimal {
	if t.Added == nil {
		return nil
	}
	before := make(map[string]decimal.Decimal, len(now))
	for name, sum := range now {
		before[name] = sum.Sub(t.Added[name])
	}
	return before
}

// earnedBySpread reads the items near those that were touched and returns what they earn.
func (p *player) earnedBySpread(ctx context.Context, rules map[*rule.Rule][]string) ([]earnedAward, error) {
	var earned []earnedAward
	states := map[[2]string]rule.State{}
	for _, r := range p.book.Rules {
		items := rules[r]
		if len(items) == 0 {
			continue
		}
		from, to := r.Near(items[0])
		for _, of := range items[1:] {
			f, t := r.Near(of)
			from, to = min(from, f), max(to, t)
		}
		bounds := [2]string{from, to}
		state, err := states[bounds], error(nil)
		switch {
		case r.Unbounded():
			state, err = p.stateUntilEnough(ctx, r, from, to)
		case state == nil:
			state, err = p.stateOf(ctx, from, to)
			states[bounds] = state
		}
		if err != nil {
			return nil, err
		}
		for _, a := range r.Earned(state, p.today()) {
			at := a.On
			if at == "" {
				at = p.newest()
			}
			earned = append(earned, earnedAward{a, r, at})
		}
	}
	return earned, nil
}

// furthestZone is how far the clocks of the zones are ahead of UTC, at most.
const furthestZone = 14 * time.Hour

// today is the date that it is anywhere by now: plays dated later count for no streak yet.
func (b *Badges) today() string { return b.Now().Add(furthestZone).UTC().Format(time.DateOnly) }

// when returns the time of the play with which an item of the state came to earn an
// award, in the order in which the batch's plays were made.
func (p *player) when(t keeper.Touched, r *rule.Rule, of string, before map[string]decimal.Decimal, a rule.Award) string {
	if a.On != "" {
		return a.On
	}
	if before == nil {
		return p.newest()
	}
	sum := before[r.Tally()]
	for _, play := range p.plays(t.Changes) {
		parts, _ := t.View.Contributions(play.change, 0)
		for _, part := range parts {
			if textOf(part.Target.Key[rule.AttrOf]) == of && textOf(part.Target.Key[attrPlayer]) == p.name {
				sum = sum.Add(part.Amount.Add[r.Tally()])
			}
		}
		earned := r.Earned(rule.State{of: {r.Tally(): sum}}, p.today())
		if hasAward(earned, a) {
			return play.time()
		}
	}
	return p.newest()
}

// play is a change with the time of its play.
type play struct {
	change *change.Change
	at     time.Time
}

// time is that of the play, or of the change if the play is dated later.
func (p play) time() string {
	at := p.at
	if p.change.Time().Before(at) {
		at = p.change.Time()
	}
	return at.UTC().Format(time.RFC3339Nano)
}

// plays returns changes in the order of their plays' times.
func (p *player) plays(indexes []int) []play {
	var plays []play
	for _, i := range indexes {
		if at, err := p.book.PlayedAt(p.batch[i]); err == nil {
			plays = append(plays, play{p.batch[i], at})
		}
	}
	slices.SortStableFunc(plays, func(a, b play) int { return a.at.Compare(b.at) })
	return plays
}

// newest is the time of the newest of the batch's plays of the player.
func (p *player) newest() string {
	var indexes []int
	for _, t := range p.touched {
		indexes = append(indexes, t.Changes...)
	}
	plays := p.plays(indexes)
	if len(plays) == 0 {
		return p.Now().UTC().Format(time.RFC3339Nano)
	}
	return plays[len(plays)-1].time()
}
