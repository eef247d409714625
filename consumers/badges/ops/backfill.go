package ops

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"sluice/consumers/badges/internal/awards"
	"sluice/consumers/badges/rule"
	"sluice/shared/change"
	"sluice/shared/consumer"
)

// BackfillOptions say how to award what players have earned before.
type BackfillOptions struct {
	// Segments is how many parts of each table are read side by side.
	Segments int
	// Notify tells players of their badges.
	Notify bool
	// Progress is told how many of how many players are done, from one goroutine at a
	// time; nil: nobody is.
	Progress func(done, of int)
}

// Backfilled is what a backfill has done.
type Backfilled struct {
	Players int `json:"players"`
	Items   int `json:"items"` // that earn badges by themselves
	Awarded int `json:"awarded"`
	Told    int `json:"told"`
	Refused int `json:"refused"` // awards that can't be stored or told
	// Faults are why awards are refused, the first hundred.
	Faults []error `json:"-"`
}

// maxFaults bounds how many faults a backfill tells.
const maxFaults = 100

// Backfill awards what the states of players earn and they don't have, and what items
// earn: after a rule was added, or where there were plays before the consumer. The states
// must be right, see [Verification.Rebuild]. It takes nothing back. An error leaves it to be
// run again; what was awarded stays. Nobody is told unless asked for, and awards that
// nobody is told of have no notice to be sent later.
func (a *Auditor) Backfill(ctx context.Context, o BackfillOptions) (Backfilled, error) {
	b := &backfill{auditor: a, options: o}
	err := b.states(ctx)
	if err == nil {
		err = b.items(ctx)
	}
	counts := a.giver.Counts.Take()
	b.result.Awarded, b.result.Told = counts["Awarded"], counts["Told"]
	return b.result, err
}

// backfill is one run.
type backfill struct {
	auditor *Auditor
	options BackfillOptions

	mu     sync.Mutex
	result Backfilled
}

// states awards what the states earn.
func (b *backfill) states(ctx context.Context) error {
	names := map[string]bool{}
	var mu sync.Mutex
	err := b.auditor.scan(ctx, b.auditor.giver.Store.States, b.options.Segments, func(items []map[string]types.AttributeValue) error {
		mu.Lock()
		defer mu.Unlock()
		for _, item := range items {
			names[change.TextOf(item[rule.AttrPlayer])] = true
		}
		return nil
	})
	if err != nil {
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
			b.result.Players++
			if b.options.Progress != nil {
				b.options.Progress(b.result.Players, len(names))
			}
			return nil
		})
	}
	return group.Wait()
}

// player gives one what is missing.
func (b *backfill) player(ctx context.Context, name string) error {
	g := b.auditor.grant(name, b.options.Notify)
	state, err := b.auditor.giver.Store.State(ctx, name, "", "")
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
	return b.finish(ctx, g)
}

// finish tells a player, if anybody is to be told, and notes which awards are refused. The
// error is of those that may be given at another time.
func (b *backfill) finish(ctx context.Context, g *grant) error {
	if b.options.Notify {
		g.tell(ctx)
	}
	var again []error
	for _, key := range slices.Sorted(maps.Keys(g.player.Faults)) {
		if err := g.player.Faults[key]; consumer.OutcomeOf(err) == consumer.Rejected {
			b.refused(g.player.Name, key, err)
		} else {
			again = append(again, err)
		}
	}
	return errors.Join(again...)
}

func (b *backfill) refused(player, key string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.result.Refused++
	if len(b.result.Faults) < maxFaults {
		b.result.Faults = append(b.result.Faults, fmt.Errorf("badge %s of %s: %w", key, player, err))
	}
}

// items awards what items earn: those that are there, nobody knows since when.
func (b *backfill) items(ctx context.Context) error {
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(awards.Concurrency)
	err := b.auditor.eachItem(ctx, b.options.Segments, func(player string, e itemEarned) {
		group.Go(func() error {
			if err := b.item(groupCtx, player, e); err != nil {
				return fmt.Errorf("badge %s of %s: %w", e.award.Key(), player, err)
			}
			return nil
		})
	}, func() {})
	if failed := group.Wait(); failed != nil {
		return failed
	}
	return err
}

func (b *backfill) item(ctx context.Context, player string, e itemEarned) error {
	g := b.auditor.grant(player, b.options.Notify)
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
	b.mu.Lock()
	b.result.Items++
	b.mu.Unlock()
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
	return b.finish(ctx, g)
}
