package badges

import (
	"context"
	"slices"
	"sort"
	"time"

	"golang.org/x/sync/errgroup"

	"sluice/consumers/badges/rule"
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
	group.SetLimit(concurrency)
	for name, own := range byPlayer {
		group.Go(func() error { return a.repairPlayer(ctx, o, l, name, own) })
	}
	return group.Wait()
}

func (a *Auditor) repairPlayer(ctx context.Context, o RepairOptions, l *look, name string, differences []*Difference) error {
	g := a.giver(name, o.Notify)
	if err := g.read(ctx); err != nil {
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
		r := a.Book.Rule(badgeOf(d.Award))
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
			if err := a.table.restore(ctx, &Achievement{Player: name, Award: earned[d.Award]}); err != nil {
				return err
			}
			d.Repair = "restored"
		default:
			g.settled = append(g.settled, r)
			d.Repair = map[string]string{NotRevoked: "taken back", Revoked: "restored"}[d.What]
		}
	}
	if err := g.give(ctx); err != nil {
		return err
	}
	g.tellAll(ctx)
	for _, d := range differences {
		fault := g.faults[d.Award]
		switch {
		case fault != nil && d.What == Untold:
			d.Repair = "still untold: " + fault.Error()
		case fault != nil && d.Repair == "awarded" && g.has(earned[d.Award]):
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

// giver gives one player what is missing. It works with the rules of its Badges, which
// may be quiet.
type giver struct {
	*player
	auditor *Auditor
	missing []missing
	settled []*rule.Rule
}

func (a *Auditor) giver(name string, notify bool) *giver {
	b := a.quiet
	if notify {
		b = a.loud
	}
	g := &giver{player: b.newPlayer(name, nil), auditor: a}
	g.whole = true
	return g
}

// give stores what is missing, unless somebody has done so meanwhile, and has rules
// with Revoke settled by the state as it is then: a play may have been corrected
// meanwhile.
func (g *giver) give(ctx context.Context) error {
	var plays []timedPlay
	asked := false
	for _, m := range g.missing {
		if m.rule.Kind == rule.All {
			continue // combine finds it
		}
		if m.rule.Revoke {
			g.settled = append(g.settled, m.rule)
		}
		at := m.award.On
		if at == "" && m.item == nil {
			if !asked {
				asked = true
				var err error
				if plays, err = g.auditor.playsOf(ctx, g.name); err != nil {
					return err
				}
			}
			at = g.earnedAt(plays, m)
		}
		if at == "" {
			at = g.Now().UTC().Format(time.RFC3339Nano) // nobody knows
		}
		var value func(string) (string, error)
		if m.item != nil {
			value = func(name string) (string, error) { return rule.Text(m.item.item, name) }
		}
		_, err := g.store(ctx, g.book.Rule(m.rule.Name), m.award, at, value)
		if consumer.OutcomeOf(err) == consumer.Rejected {
			g.faults[m.award.Key()] = err
			continue
		}
		if err != nil {
			return err
		}
	}
	done := map[string]bool{}
	for _, r := range g.settled {
		if done[r.Name] {
			continue
		}
		done[r.Name] = true
		if err := g.settle(ctx, g.book.Rule(r.Name)); err != nil {
			return err
		}
	}
	return g.combine(ctx)
}

// earnedAt finds the play with which an award was earned, in the order of the plays'
// times: more plays never earn less. Empty: it can't be told.
func (g *giver) earnedAt(plays []timedPlay, m missing) string {
	earns := func(n int) bool {
		states := rule.States{}
		for _, p := range plays[:n] {
			_ = g.book.Fold(p.Change, states) // what it can't use counts for nothing
		}
		return slices.ContainsFunc(m.rule.Earned(states[g.name], g.today()), func(a rule.Award) bool { return a.Key() == m.award.Key() })
	}
	n := sort.Search(len(plays)+1, earns)
	if n == 0 || n > len(plays) {
		return ""
	}
	return plays[n-1].at.UTC().Format(time.RFC3339Nano)
}

// tellAll tells what is pending of the player.
func (g *giver) tellAll(ctx context.Context) { g.tell(ctx, []*player{g.player}) }
