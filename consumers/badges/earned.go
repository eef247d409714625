package badges

import (
	"context"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"sluice/consumers/badges/internal/awards"
	"sluice/consumers/badges/rule"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/keeper"
)

// earned is what the items of a player's state that a batch touched earn.
type earned struct {
	awards []datedAward
	// reconcile are the rules with Revoke whose awards must be compared with the whole state.
	reconcile []*rule.Rule
	// unsure: an earlier delivery may have stored some of the awards, or earned others and stored none.
	unsure bool
}

// datedAward is an award with its rule and when it was earned.
type datedAward struct {
	rule.Award
	rule *rule.Rule
	at   string
}

// earned returns what the touched items of a player's state earn.
func (b *Badges) earned(ctx context.Context, p *player) (earned, error) {
	var e earned
	spread := map[*rule.Rule][]string{} // touched items, by the rules that look at several
	today := b.giver.Today()
	for _, t := range p.touched {
		attributes, err := t.Attributes(ctx)
		if err != nil {
			return earned{}, consumer.At(b.giver.Store.StateGets(), consumer.RejectRefused(err))
		}
		of := change.TextOf(t.Key[rule.AttrOf])
		now := rule.State{of: awards.Tallies(attributes)}
		before := sumsBefore(t, now[of])
		if plays, day, isDay := b.book.Day(of); isDay && day <= today && b.memory.looksAt(p.awards.Name, plays, day) {
			before = nil
		}
		e.unsure = e.unsure || before == nil
		for _, r := range b.book.OfItem(of) {
			had, has := r.Earned(rule.State{of: before}, today), r.Earned(now, today)
			switch {
			case b.memory.hasAll(p.awards.Name, r), before != nil && !r.Moves(before, now[of], had, has):
			case r.Revoke:
				e.reconcile = append(e.reconcile, r)
				p.cause(has, t.Changes)
			case r.Spreads():
				spread[r] = append(spread[r], of)
			default:
				for _, a := range has {
					if !rule.Has(had, a) {
						p.cause([]rule.Award{a}, t.Changes)
						e.awards = append(e.awards, datedAward{a, r, b.when(p, t, r, before, a)})
					}
				}
			}
		}
	}
	further, err := b.earnedBySpread(ctx, p, spread)
	if err != nil {
		return earned{}, err
	}
	e.awards, e.unsure = append(e.awards, further...), e.unsure || len(further) > 0
	slices.SortStableFunc(e.awards, func(a, b datedAward) int { return strings.Compare(a.Key(), b.Key()) })
	slices.SortFunc(e.reconcile, func(a, b *rule.Rule) int { return strings.Compare(a.Name, b.Name) })
	e.reconcile = slices.Compact(e.reconcile)
	return e, nil
}

// sumsBefore returns an item's sums before the batch's only write; nil if that isn't known.
func sumsBefore(t keeper.Touched, now map[string]decimal.Decimal) map[string]decimal.Decimal {
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
func (b *Badges) earnedBySpread(ctx context.Context, p *player, rules map[*rule.Rule][]string) ([]datedAward, error) {
	var earned []datedAward
	states := map[[2]string]rule.State{}
	for _, r := range b.book.Rules {
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
			state, err = p.awards.State(ctx, from, to, r.Enough)
		case state == nil:
			state, err = p.awards.State(ctx, from, to, nil)
			states[bounds] = state
		}
		if err != nil {
			return nil, err
		}
		for _, a := range r.Earned(state, b.giver.Today()) {
			at := a.On
			if at == "" {
				at = p.awards.Latest(r)
			}
			earned = append(earned, datedAward{a, r, at})
		}
	}
	return earned, nil
}

// when returns the time of the play with which a touched item came to earn an award, in the order in which the batch's
// plays were made.
func (b *Badges) when(p *player, t keeper.Touched, r *rule.Rule, before map[string]decimal.Decimal, a rule.Award) string {
	if a.On != "" {
		return a.On
	}
	if before == nil {
		return p.awards.Latest(r)
	}
	of, sum := change.TextOf(t.Key[rule.AttrOf]), before[r.Tally()]
	for _, play := range b.playsOf(t, p.batch) {
		parts, _ := t.View.Contributions(play.Change, 0)
		for _, part := range parts {
			if change.TextOf(part.Target.Key[rule.AttrOf]) == of && change.TextOf(part.Target.Key[rule.AttrPlayer]) == p.awards.Name {
				sum = sum.Add(part.Amount.Add[r.Tally()])
			}
		}
		if rule.Has(r.Earned(rule.State{of: {r.Tally(): sum}}, b.giver.Today()), a) {
			return play.EarnedAt()
		}
	}
	return p.awards.Latest(r)
}
