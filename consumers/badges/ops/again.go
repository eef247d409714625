package ops

import (
	"context"
	"maps"
	"slices"

	"github.com/shopspring/decimal"

	"sluice/consumers/badges/internal/awards"
	"sluice/consumers/badges/rule"
)

// maxLooks is how often Verify looks at players whose states change each time.
const maxLooks = 4

// lookAgain looks again at the players who differ, until those who still do stand still from
// one look to the next. It returns the last look, and what it has found that the look before
// it had found too.
func (a *Auditor) lookAgain(ctx context.Context, o VerifyOptions, before *look, suspects []Difference) (*look, []Difference, error) {
	for looks := 2; ; looks++ {
		players := map[string]bool{}
		for _, d := range suspects {
			players[d.Player] = true
		}
		if o.Waiting != nil {
			o.Waiting(len(suspects), o.Patience)
		}
		if err := a.Sleep(ctx, o.Patience); err != nil {
			return nil, nil, err
		}
		now, err := a.look(ctx, o.Segments, players)
		if err != nil {
			return nil, nil, err
		}
		found := slices.DeleteFunc(now.verification().Differences, func(d Difference) bool { return !slices.ContainsFunc(suspects, d.confirms) })
		now.moved = map[string]bool{}
		for _, d := range found {
			if now.movedSince(before, d.Player) {
				now.moved[d.Player] = true
			}
		}
		if len(now.moved) == 0 || looks == maxLooks {
			return now, found, nil
		}
		before, suspects = now, found
	}
}

// movedSince reports whether a player's state or awards changed between two looks: then the
// consumer is at work on the player's changes.
func (l *look) movedSince(before *look, player string) bool {
	same := maps.EqualFunc(l.shown[player], before.shown[player], func(a, b map[string]decimal.Decimal) bool {
		return maps.EqualFunc(a, b, decimal.Decimal.Equal)
	})
	achievements := func(l *look) map[string]awards.Achievement {
		all := map[string]awards.Achievement{}
		for _, s := range l.stored[player] {
			all[s.Award.Key()] = *s
		}
		return all
	}
	return !same || !maps.Equal(achievements(l), achievements(before))
}

// stateEarns reports whether the player's state, as it is stored, earns an award of plays. If it
// doesn't, the plays are in flight, or the state is miscounted: the consumer awards the badge and
// tells the player when they arrive, which it wouldn't if a repair had stored it.
func (l *look) stateEarns(player, key string) bool {
	earned := l.auditor.Book.AllEarned(l.shown[player], l.auditor.giver.Today(), awards.Held(l.stored[player]))
	return slices.ContainsFunc(earned, func(a rule.Award) bool { return a.Key() == key })
}
