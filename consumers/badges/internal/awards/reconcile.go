package awards

import (
	"context"

	"sluice/consumers/badges/rule"
	"sluice/shared/consumer"
)

// maxReconciling is how often Reconcile looks at a state that keeps changing.
const maxReconciling = 20

// State is the Store's for the player.
func (p *Player) State(ctx context.Context, from, to string, enough func(rule.State) bool) (rule.State, error) {
	state, err := p.giver.Store.State(ctx, p.Name, from, to, enough)
	return state, p.At(p.giver.Store.StateReads(), err)
}

// Reconcile makes the awards of a rule with Revoke what the whole state earns. After each
// write it looks again: whoever changed the state meanwhile has looked before the write,
// or will see it.
func (p *Player) Reconcile(ctx context.Context, r *rule.Rule) error {
	refused := map[string]bool{} // by key
	for range maxReconciling {
		state, err := p.State(ctx, "", "", nil)
		if err != nil {
			return err
		}
		if err := p.Load(ctx); err != nil {
			return err
		}
		earned := r.Earned(state, p.giver.Today())
		given, err := p.giveAll(ctx, r, earned, refused)
		if err != nil {
			return err
		}
		revoked, err := p.revokeOthers(ctx, r, earned)
		if err != nil {
			return err
		}
		if !given && !revoked {
			return nil
		}
	}
	return ErrUnsettled
}

// giveAll gives the awards that a state earns, but those that are refused. It reports whether anything had to be done.
func (p *Player) giveAll(ctx context.Context, r *rule.Rule, earned []rule.Award, refused map[string]bool) (changed bool, err error) {
	for _, a := range earned {
		key := a.Key()
		if refused[key] {
			continue
		}
		given, err := p.giveOrRestore(ctx, r, a)
		if refused[key] = consumer.OutcomeOf(err) == consumer.Rejected; refused[key] {
			p.Faults[key] = err
			if changes := p.Causes[key]; changes != nil { // else the change that earned it is a dead letter already
				p.Fail(changes, consumer.In("badge "+r.Name, err))
			}
			continue
		}
		if err != nil {
			return false, err
		}
		changed = changed || given
	}
	return changed, nil
}

// giveOrRestore stores an award of a rule with Revoke, or restores it. It reports whether anything had to be done.
func (p *Player) giveOrRestore(ctx context.Context, r *rule.Rule, a rule.Award) (bool, error) {
	for _, stored := range p.Achievements {
		if stored.Award.Key() != a.Key() {
			continue
		}
		if stored.RevokedAt == "" {
			return false, nil
		}
		p.giver.Counts.Add("Restored", 1)
		return true, p.At(p.giver.Store.Updates(), p.giver.Store.Restore(ctx, stored))
	}
	at := a.On
	if at == "" {
		at = p.Latest(r)
	}
	_, err := p.Give(ctx, r, a, at, nil)
	return true, err
}

// revokeOthers takes back what the player has by the rule and a state doesn't earn. It reports whether there was any.
func (p *Player) revokeOthers(ctx context.Context, r *rule.Rule, earned []rule.Award) (changed bool, err error) {
	for _, stored := range p.Achievements {
		if stored.RevokedAt != "" || stored.Award.Badge != r.Name || rule.Has(earned, stored.Award) {
			continue
		}
		if err := p.At(p.giver.Store.Updates(), p.giver.Store.Revoke(ctx, stored, p.giver.Now())); err != nil {
			return false, err
		}
		p.giver.Counts.Add("Revoked", 1)
		changed = true
	}
	return changed, nil
}
