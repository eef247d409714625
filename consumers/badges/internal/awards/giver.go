// Package awards stores players' awards and has the players notified. Function and operators give awards by the same steps.
//
// # Invariants
//
// Check these before a change: the test that each names fails without it.
//
//   - An award is stored, then notified, then marked, and the change comes again until all three are done. The message is stored
//     with the award, so that a repeat is the same whatever the rules have become (TestEveryGuardIsNeeded of consumers/badges,
//     TestRulesChangeInFlight of consumers/badges).
//   - A rule that may revoke reads the state again after each write (Player.Reconcile). Whoever changed the state meanwhile has
//     looked before the write, or will see it (TestEveryGuardIsNeeded of consumers/badges).
package awards

import (
	"context"
	"fmt"
	"time"

	"sluice/consumers/badges/internal/notify"
	"sluice/consumers/badges/rule"
	"sluice/shared/change"
	"sluice/shared/consumer"
)

// Concurrency is how many players are given awards at once.
const Concurrency = 16

// Giver gives awards to players. It is safe for concurrent use.
type Giver struct {
	Book     *rule.Book
	Store    *Store
	Topic    *notify.Topic
	Language string // of a notice's title and text
	Now      func() time.Time
	// Quiet gives awards without notices, whatever their rules say.
	Quiet bool
	// Stored, if set, is called with each award that is known to be stored.
	Stored func(*Achievement)
	// Counts counts Awarded, Told, Revoked and Restored badges.
	Counts *consumer.Counters
}

// furthestZone is how far the clocks of the zones are ahead of UTC, at most.
const furthestZone = 14 * time.Hour

// Today is the latest date that any zone has at a time. Plays that are dated later count for no streak yet.
func Today(now time.Time) string { return now.Add(furthestZone).UTC().Format(time.DateOnly) }

// Today is the latest date that any zone has by now.
func (g *Giver) Today() string { return Today(g.Now()) }

// achievement returns what is stored of an award, with the notice that has yet to be told.
func (g *Giver) achievement(r *rule.Rule, player string, a rule.Award, at string, item *change.Change) (*Achievement, error) {
	achievement := &Achievement{Player: player, Award: a, EarnedAt: at, AwardedAt: g.Now().UTC().Format(time.RFC3339Nano)}
	if r.Quiet || g.Quiet {
		return achievement, nil
	}
	var err error
	achievement.EventType = r.EventType
	if achievement.Pending, err = compose(r, achievement, g.Language, item); err != nil {
		return nil, err
	}
	notice := achievement.notice()
	return achievement, notice.Check()
}

// Tell publishes the pending notices of the players, and marks them as told. Each player notes what failed.
func (g *Giver) Tell(ctx context.Context, players ...*Player) {
	type untold struct {
		*Achievement
		owner       *Player
		err, marked error // of the notice, and of the mark that it was told
	}
	var all []*untold
	var notices []notify.Notice
	for _, p := range players {
		for _, a := range p.pending {
			all, notices = append(all, &untold{Achievement: a, owner: p}), append(notices, a.notice())
		}
	}
	if len(notices) == 0 {
		return
	}
	for n, err := range g.Topic.Publish(ctx, notices) {
		all[n].err = err
	}
	consumer.SideBySide(Concurrency, all, func(u *untold) {
		if u.err == nil {
			u.marked = g.Store.MarkTold(ctx, u.Achievement, g.Now())
			g.Counts.Add("Told", 1)
		}
	})
	for _, u := range all {
		u.owner.told(u.Achievement, u.err, u.marked)
	}
}

// told notes the outcome of an award's notice, and of the mark that it was told.
func (p *Player) told(a *Achievement, err, marked error) {
	key := a.Award.Key()
	changes := p.Causes[key]
	if err = p.At(p.giver.Topic.Destination(), err); err != nil {
		err = fmt.Errorf("tell %s: %w", key, err)
	} else {
		err = p.At(p.giver.Store.Updates(), marked)
	}
	if err == nil {
		return
	}
	p.Faults[key] = err
	// A notice from before, which none of these changes has earned, can be refused for good:
	// the change that earned it is a dead letter since then, and these aren't to blame.
	if changes != nil || consumer.OutcomeOf(err) == consumer.Retry {
		p.Fail(changes, err)
	}
}
