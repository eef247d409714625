package ops

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"sluice/consumers/badges/internal/awards"
	"sluice/consumers/badges/rule"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/operate"
)

// Steps implements operate.Repairer: awards are stored, restored and revoked, and notices are published.
func (c *Comparison) Steps(r operate.Report, remove bool) []operate.Step {
	missing, extra, miscounted := r.Count(operate.Missing), r.Count(operate.Extra), r.Count(Miscounted)
	stored := operate.Step{Into: r.Destination, From: r.Source, Held: r.Held, Write: missing + r.Count(Revoked)}
	if remove {
		stored.Remove = extra
	} else if extra > 0 {
		stored.Notes = append(stored.Notes, fmt.Sprintf("%s that nothing earns: not revoked without --remove-extra", operate.Count(extra, "badge")))
	}
	if miscounted > 0 {
		stored.Notes = append(stored.Notes, fmt.Sprintf("%s miscounted: sluice rebuild makes them right, this verb doesn't", operate.Count(miscounted, "sum")))
	}
	notices := operate.Step{Into: "topic " + c.auditor.giver.Topic.ARN, From: r.Destination, Write: r.Count(Untold)}
	if c.notify {
		notices.Write += missing
	}
	return []operate.Step{stored, notices}
}

// Repair implements operate.Repairer. It awards what is missing, restores what was revoked wrongly, publishes what is pending, and
// revokes what is extra if remove is true. What was miscounted it leaves: a rebuild of the view makes that right.
func (c *Comparison) Repair(ctx context.Context, differences []operate.Difference, remove bool) error {
	byPlayer := map[string][]*operate.Difference{}
	for i := range differences {
		d := &differences[i]
		if d.What == operate.Extra && !remove {
			d.Repair = "left alone: --remove-extra takes it back"
			continue
		}
		name := d.Ref.(*finding).player
		byPlayer[name] = append(byPlayer[name], d)
	}
	var mu sync.Mutex // guards again
	var again []error // faults that another repair may not meet; they keep no other player from being repaired
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(awards.Concurrency)
	for name, own := range byPlayer {
		group.Go(func() error {
			g := c.auditor.grant(name, c.notify)
			if err := g.plan(ctx, own); err != nil {
				return err
			}
			if err := g.give(ctx); err != nil {
				return err
			}
			g.giver.Tell(ctx, g.player)
			g.note(own)
			mu.Lock()
			defer mu.Unlock()
			again = append(again, g.transient())
			return nil
		})
	}
	return errors.Join(group.Wait(), errors.Join(again...))
}

// What a repair did.
const (
	awarded   = "awarded"
	restored  = "restored"
	takenBack = "taken back"
)

// plan decides how to repair each difference of the player, and restores what needs no more than that.
func (g *grant) plan(ctx context.Context, differences []*operate.Difference) error {
	if err := g.player.Load(ctx); err != nil {
		return err
	}
	wrong := map[string]bool{} // rules whose state is miscounted
	for _, d := range differences {
		f := d.Ref.(*finding)
		if g.earned == nil {
			g.earned = f.at.earned(f.player)
		}
		for _, name := range f.rules {
			wrong[name] = true
		}
	}
	for _, d := range differences {
		f := d.Ref.(*finding)
		award, item, r := g.earned[f.award], f.at.itemOf(f.player, f.award), g.auditor.Book.Rule(rule.BadgeOf(f.award))
		switch {
		case d.What == Miscounted || d.What == Untold:
		case r.Revoke && wrong[r.Name]:
			d.Repair = "first rebuild what its rule looks at" // Reconcile goes by that
		case d.What == operate.Missing && item == nil && r.Kind != rule.All && !f.at.stateEarns(f.player, f.award):
			d.Repair = "left alone: the state doesn't have its plays yet"
		case d.What == operate.Missing:
			g.missing = append(g.missing, missing{rule: r, award: award, item: item})
			d.Repair = awarded
		case d.What == Revoked && !r.Revoke:
			if err := g.giver.Store.Restore(ctx, &awards.Achievement{Player: f.player, Award: award}); err != nil {
				return err
			}
			d.Repair = restored
		default:
			g.reconcile = append(g.reconcile, r)
			d.Repair = map[string]string{operate.Extra: takenBack, Revoked: restored}[d.What]
		}
	}
	return nil
}

// note notes with each difference what became of its repair.
func (g *grant) note(differences []*operate.Difference) {
	for _, d := range differences {
		f := d.Ref.(*finding)
		fault := g.player.Faults[f.award]
		switch {
		case d.What == Miscounted:
			continue
		case fault != nil && d.What == Untold:
			d.Repair = "still untold: " + fault.Error()
		case fault != nil && d.Repair == awarded && g.player.Has(g.earned[f.award]):
			d.Repair = "awarded, and untold: " + fault.Error()
		case fault != nil:
			d.Repair = fault.Error()
		case d.What == Untold:
			d.Repair = "told"
		}
		if consumer.OutcomeOf(fault) == consumer.Rejected {
			d.Refused = fault.Error()
		}
	}
}

// transient returns the player's faults that another run may not meet.
func (g *grant) transient() error {
	var faults []error
	for _, key := range slices.Sorted(maps.Keys(g.player.Faults)) {
		if err := g.player.Faults[key]; consumer.OutcomeOf(err) != consumer.Rejected {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}

// missing is an award that a player ought to have.
type missing struct {
	rule  *rule.Rule
	award rule.Award
	item  *change.Change // that makes the item which earned it; nil: plays did
}

// grant gives one player what is missing.
type grant struct {
	auditor   *Auditor
	giver     *awards.Giver
	player    *awards.Player
	earned    map[string]rule.Award // by key, as the differences were found
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
	plays := map[*rule.Plays][]rule.Play{} // that the player's awards are of, by block
	for _, m := range g.missing {
		if m.rule.Kind == rule.All {
			continue // Combine finds it
		}
		if m.rule.Revoke {
			g.reconcile = append(g.reconcile, m.rule)
		}
		at := m.award.On
		if at == "" && m.item == nil {
			block := m.rule.Plays
			if _, read := plays[block]; !read {
				var err error
				if plays[block], err = g.auditor.playsOf(ctx, block, g.player.Name); err != nil {
					return err
				}
			}
			at = g.earnedAt(plays[block], m)
		}
		if at == "" {
			at = g.giver.Now().UTC().Format(time.RFC3339Nano) // nobody knows
		}
		_, err := g.player.Give(ctx, m.rule, m.award, at, m.item)
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
