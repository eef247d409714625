package ops

import (
	"context"
	"sort"
	"time"

	"golang.org/x/sync/errgroup"

	"sluice/consumers/badges/internal/awards"
	"sluice/consumers/badges/rule"
	"sluice/shared/change"
	"sluice/shared/consumer"
)

// repair sets right what a second look has found, player by player, and notes with each
// difference what became of it.
func (a *Auditor) repair(ctx context.Context, o RepairOptions, l *look, differences []Difference) error {
	byPlayer := map[string][]*Difference{}
	for i := range differences {
		d := &differences[i]
		if d.What == NotRevoked && !o.Revoke {
			d.Repair = "left alone: --remove-extra takes it back"
			continue
		}
		byPlayer[d.Player] = append(byPlayer[d.Player], d)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(awards.Concurrency)
	for name, own := range byPlayer {
		group.Go(func() error { return a.repairPlayer(ctx, o, l, name, own) })
	}
	return group.Wait()
}

func (a *Auditor) repairPlayer(ctx context.Context, o RepairOptions, l *look, name string, differences []*Difference) error {
	g := a.grant(name, o.Notify)
	if err := g.player.Load(ctx); err != nil {
		return err
	}
	wrong := map[string]bool{} // rules whose state is miscounted
	for _, d := range differences {
		if d.What == Miscounted {
			d.Repair = "run sluice rebuild " + d.View
			if !d.holdable() {
				d.Repair = "DynamoDB can't hold this sum: correct the plays"
			}
			for _, name := range d.Rules {
				wrong[name] = true
			}
		}
	}
	earned := l.earned(name)
	for _, d := range differences {
		r := a.Book.Rule(rule.BadgeOf(d.Award))
		switch {
		case d.What == Miscounted || d.What == Untold:
		case r.Revoke && wrong[r.Name]:
			d.Repair = "first rebuild what its rule looks at" // settling goes by that
		case d.What == Missing && l.itemOf(name, d.Award) == nil && r.Kind != rule.All && !l.stateEarns(name, d.Award):
			d.Repair = "left alone: the state doesn't have its plays yet"
		case d.What == Missing:
			g.missing = append(g.missing, missing{rule: r, award: earned[d.Award], item: l.itemOf(name, d.Award)})
			d.Repair = "awarded"
		case d.What == Revoked && !r.Revoke:
			if err := a.giver.Store.Restore(ctx, &awards.Achievement{Player: name, Award: earned[d.Award]}); err != nil {
				return err
			}
			d.Repair = "restored"
		default:
			g.reconcile = append(g.reconcile, r)
			d.Repair = map[string]string{NotRevoked: "taken back", Revoked: "restored"}[d.What]
		}
	}
	if err := g.give(ctx); err != nil {
		return err
	}
	g.tell(ctx)
	for _, d := range differences {
		fault := g.player.Faults[d.Award]
		switch {
		case fault != nil && d.What == Untold:
			d.Repair = "still untold: " + fault.Error()
		case fault != nil && d.Repair == "awarded" && g.player.Has(earned[d.Award]):
			d.Repair = "awarded, and untold: " + fault.Error()
		case fault != nil:
			d.Repair = fault.Error()
		case d.What == Untold:
			d.Repair = "told"
		}
		d.Refused = consumer.OutcomeOf(fault) == consumer.Rejected
	}
	return nil
}

// itemOf returns what a player's item earns; nil if the award is none of an item.
func (l *look) itemOf(player, key string) *itemEarned {
	for i, e := range l.items[player] {
		if e.award.Key() == key {
			return &l.items[player][i]
		}
	}
	return nil
}

// missing is an award that a player ought to have.
type missing struct {
	rule  *rule.Rule
	award rule.Award
	item  *itemEarned // that earned it; nil: plays did
}

// grant gives one player what is missing.
type grant struct {
	auditor   *Auditor
	giver     *awards.Giver
	player    *awards.Player
	missing   []missing
	reconcile []*rule.Rule // rules with Revoke whose awards must be compared with the state
}

func (a *Auditor) grant(name string, notify bool) *grant {
	giver := a.quiet
	if notify {
		giver = a.giver
	}
	g := &grant{auditor: a, giver: giver, player: giver.Player(name)}
	g.player.Whole = true
	return g
}

// give stores what is missing, unless somebody has done so meanwhile, and reconciles
// the rules with Revoke with the state as it is then: a play may have been corrected
// meanwhile.
func (g *grant) give(ctx context.Context) error {
	var plays []rule.Play
	asked := false
	for _, m := range g.missing {
		if m.rule.Kind == rule.All {
			continue // Combine finds it
		}
		if m.rule.Revoke {
			g.reconcile = append(g.reconcile, m.rule)
		}
		at := m.award.On
		if at == "" && m.item == nil {
			if !asked {
				asked = true
				var err error
				if plays, err = g.auditor.playsOf(ctx, g.player.Name); err != nil {
					return err
				}
			}
			at = g.earnedAt(plays, m)
		}
		if at == "" {
			at = g.giver.Now().UTC().Format(time.RFC3339Nano) // nobody knows
		}
		var item *change.Change
		if m.item != nil {
			item = m.item.item
		}
		_, err := g.player.Give(ctx, m.rule, m.award, at, item)
		if consumer.OutcomeOf(err) == consumer.Rejected {
			g.player.Faults[m.award.Key()] = err
			continue
		}
		if err != nil {
			return err
		}
	}
	done := map[string]bool{}
	for _, r := range g.reconcile {
		if done[r.Name] {
			continue
		}
		done[r.Name] = true
		if err := g.player.Reconcile(ctx, r); err != nil {
			return err
		}
	}
	return g.player.Combine(ctx)
}

// earnedAt finds the play with which an award was earned, in the order of the plays'
// times: more plays never earn less. Empty: it can't be told.
func (g *grant) earnedAt(plays []rule.Play, m missing) string {
	earns := func(n int) bool {
		states := rule.States{}
		for _, p := range plays[:n] {
			_ = g.auditor.Book.Fold(p.Change, states) // what it can't use counts for nothing
		}
		return rule.Has(m.rule.Earned(states[g.player.Name], g.giver.Today()), m.award)
	}
	n := sort.Search(len(plays)+1, earns)
	if n == 0 || n > len(plays) {
		return ""
	}
	return plays[n-1].At.UTC().Format(time.RFC3339Nano)
}

// tell publishes what is pending of the player.
func (g *grant) tell(ctx context.Context) { g.giver.Tell(ctx, g.player) }
