package ops

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"sluice/consumers/badges/internal/awards"
	"sluice/consumers/badges/rule"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/operate"
	"sluice/shared/rebuild"
)

// BackfillOptions say how to award what players have earned before.
type BackfillOptions struct {
	Notify   bool          // players are notified of their badges
	Patience time.Duration // how long a state has to differ from the plays before it counts as wrong
	Clocks   time.Duration // as of rebuild.Tool
	Ledger   string        // table, as of rebuild.Tool
	Horizon  time.Duration // as of rebuild.Tool
	Say      func(format string, a ...any)
}

// Backfill awards what players have earned before: after a rule was added, or where there were plays before the consumer. It
// rebuilds the views whose sums aren't those of the plays, and gives what the states and items earn. It takes nothing back. Nobody is
// notified unless asked for, and awards without a notice have none to be sent later.
type Backfill struct {
	BackfillOptions

	auditor  *Auditor
	rebuilds []*rebuild.Tool

	rejected *operate.Tally

	mu       sync.Mutex // guards what follows
	progress func(items int)
	players  int
}

var _ operate.Backfill = (*Backfill)(nil)

// Backfill returns a backfill of all badges. It makes no call.
func (a *Auditor) Backfill(o BackfillOptions) *Backfill {
	return &Backfill{BackfillOptions: o, auditor: a}
}

// Title implements operate.Backfill.
func (b *Backfill) Title() operate.Title { return b.auditor.Comparison(false).Title() }

// Steps implements operate.Backfill. It finds the views that need a rebuild.
func (b *Backfill) Steps(ctx context.Context) ([]operate.Step, error) {
	report, err := operate.Compare(ctx, b.auditor.Comparison(false), operate.Judging{Patience: b.Patience, Waiting: func(differ int, most time.Duration) {
		b.Say("%s between badges and plays; changes may be on their way. Looking again for %v at most.\n", operate.Count(differ, "difference"), most)
	}})
	if err != nil {
		return nil, err
	}
	views := map[string]bool{}
	for _, d := range report.Differences {
		if d.Command != "" && d.Refused == "" {
			views[d.Ref.(*finding).view] = true
		}
	}
	var steps []operate.Step
	b.rebuilds = nil
	for _, name := range slices.Sorted(maps.Keys(views)) {
		v, err := b.auditor.Rebuildable(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("the state that view %s keeps has less than the plays come to, and stays so: %w", name, err)
		}
		tool := &rebuild.Tool{
			Client: b.auditor.client, View: v, Ledger: b.Ledger, Horizon: b.Horizon, Now: time.Now, Clocks: b.Clocks,
			Announcing: rebuild.DefaultAnnouncing, Segments: b.auditor.segments, Limit: rebuild.DefaultLimit,
		}
		step, err := tool.Step(ctx)
		if err != nil {
			return nil, err
		}
		b.rebuilds, steps = append(b.rebuilds, tool), append(steps, step)
	}
	given := operate.Step{Into: report.Destination, From: report.Source, Write: report.Count(operate.Missing), About: true, Held: report.Held}
	if b.Notify {
		given.Act = "players are notified of what they are awarded"
	}
	return append(steps, given), nil
}

// Run implements operate.Backfill: it makes the rebuilds that Steps planned, then gives the awards. After an error what was awarded
// stays; another Run gives the rest.
func (b *Backfill) Run(ctx context.Context, progress func(items int)) (operate.Backfilled, error) {
	b.progress, b.players, b.rejected = progress, 0, &operate.Tally{}
	for ; len(b.rebuilds) > 0; b.rebuilds = b.rebuilds[1:] {
		name := b.rebuilds[0].View.Name
		b.Say("The state that view %s keeps isn't what the plays come to. It is rebuilt.\n", name)
		if _, err := b.rebuilds[0].Run(ctx); err != nil {
			return operate.Backfilled{}, fmt.Errorf("rebuild view %s: %w", name, err)
		}
	}
	err := b.states(ctx)
	if err == nil {
		err = b.items(ctx)
	}
	counts, result := b.auditor.giver.Counts.Take(), b.rejected.Backfilled()
	result.Written = counts["Awarded"]
	result.Notes = []string{fmt.Sprintf("%s with a state: %s, %d notified.", operate.Count(b.players, "player"), operate.Count(result.Written, "award"), counts["Told"])}
	return result, err
}

// states awards what the states earn.
func (b *Backfill) states(ctx context.Context) error {
	names := map[string]bool{}
	if err := b.auditor.scan(ctx, b.auditor.giver.Store.States, func(item operate.Item) {
		names[change.TextOf(item[rule.AttrPlayer])] = true
	}); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(awards.Concurrency)
	for name := range names {
		group.Go(func() error {
			if err := b.player(ctx, name); err != nil {
				return fmt.Errorf("badges of %s: %w", name, err)
			}
			b.mu.Lock()
			defer b.mu.Unlock()
			b.players++
			return nil
		})
	}
	return group.Wait()
}

// player gives one player what is missing.
func (b *Backfill) player(ctx context.Context, name string) error {
	g := b.auditor.grant(name, b.Notify)
	state, err := b.auditor.giver.Store.State(ctx, name, "", "", nil)
	if err != nil {
		return err
	}
	if err := g.player.Load(ctx); err != nil {
		return err
	}
	for _, a := range b.auditor.Book.AllEarned(state, b.auditor.giver.Today(), awards.Held(g.player.Achievements)) {
		if !g.player.Has(a) {
			g.missing = append(g.missing, missing{rule: b.auditor.Book.Rule(a.Badge), award: a})
		}
	}
	if len(g.missing) == 0 {
		return nil
	}
	if err := g.give(ctx); err != nil {
		return err
	}
	return b.finish(ctx, g, len(g.missing))
}

// finish notifies a player, if anybody is to be notified, and notes which awards are refused. The
// error is of those that may be given at another time.
func (b *Backfill) finish(ctx context.Context, g *grant, given int) error {
	if b.Notify {
		g.giver.Tell(ctx, g.player)
	}
	for key, err := range g.player.Faults {
		if consumer.OutcomeOf(err) == consumer.Rejected {
			b.refused(g.player.Name, key, err)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.progress(given)
	return g.transient()
}

func (b *Backfill) refused(player, key string, err error) {
	_ = b.rejected.Add(fmt.Errorf("badge %s of %s: %w", key, player, err)) // a rejection
}

// items awards what items earn: those that are there, nobody knows since when.
func (b *Backfill) items(ctx context.Context) error {
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(awards.Concurrency)
	err := b.auditor.eachItem(ctx, func(player string, e itemEarned) {
		group.Go(func() error {
			if err := b.item(groupCtx, player, e); err != nil {
				return fmt.Errorf("badge %s of %s: %w", e.award.Key(), player, err)
			}
			return nil
		})
	}, func(string, string, error) {}) // Verify reports them
	if failed := group.Wait(); failed != nil {
		return failed
	}
	return err
}

func (b *Backfill) item(ctx context.Context, player string, e itemEarned) error {
	g := b.auditor.grant(player, b.Notify)
	if e.award.Formerly != "" {
		stored, err := b.auditor.giver.Store.Get(ctx, player, e.award.Formerly)
		if consumer.OutcomeOf(err) == consumer.Retry {
			return err
		}
		if stored != nil {
			return nil
		}
	}
	isNew, err := g.player.Give(ctx, e.rule, e.award, b.auditor.giver.Now().UTC().Format(time.RFC3339Nano), e.item)
	if consumer.OutcomeOf(err) == consumer.Rejected {
		b.refused(player, e.award.Key(), err)
		return nil
	}
	if err != nil || !isNew {
		return err
	}
	if err := g.player.Combine(ctx); err != nil {
		return err
	}
	return b.finish(ctx, g, 1)
}
