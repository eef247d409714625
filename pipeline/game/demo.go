package game

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/shopspring/decimal"

	"sluice/cli/verb"
	"sluice/consumers/leaderboard/boards"
	"sluice/deploy/local/bridge"
	"sluice/deploy/local/servers"
	"sluice/deploy/local/stack"
	"sluice/shared/declaration"
	"sluice/shared/printable"
)

type demoCommand struct {
	gameFlags
	Chaos bool `help:"Let the stream repeat and reorder 10 % of the records each, switch its precision, and kill every consumer's function at random moments."`
}

const (
	// chaosShare is how much of everything goes wrong in a demo with --chaos.
	chaosShare = 0.1
	// chaosKill is the share of invocations in which the function is killed.
	chaosKill = 0.3
	// drainPatience is how long the stream may take to drain after the game.
	drainPatience = 2 * time.Minute
	refresh       = time.Second
)

func (c *demoCommand) Run(ctx context.Context, pipeline declaration.Pipeline) (err error) {
	root, err := verb.Checkout()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "sluice-demo-")
	if err != nil {
		return err
	}
	options := stack.Options{Root: root, RunDir: dir, Progress: verb.Progress}
	if c.Chaos {
		options.Chaos = stack.Chaos{
			Misbehave: bridge.Misbehaviour{Repeat: chaosShare, Reorder: chaosShare, SwitchPrecision: true},
			Kill:      chaosKill,
			Seed:      c.Seed,
		}
	}
	began := time.Now()
	running, err := stack.Start(ctx, options)
	if err != nil {
		return explain(ctx, err, dir)
	}
	defer func() {
		stopErr := running.Stop(context.WithoutCancel(ctx))
		if err = errors.Join(err, stopErr); err != nil {
			err = explain(ctx, err, dir)
			return
		}
		err = os.RemoveAll(dir)
		verb.Say("\nAll stopped, after %v.\n", time.Since(began).Round(time.Second))
	}()

	// A part that dies ends the demo at once, with its own story as the reason.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case died := <-running.Failed():
			cancel(died)
		case <-ctx.Done():
		}
	}()
	if err := c.play(ctx, running, pipeline); err != nil {
		return cmp.Or(context.Cause(ctx), err) // what ended ctx is why the rest failed
	}
	return nil
}

// explain adds what helps to understand an error: the logs are still there. Being
// interrupted needs no logs, and neither do missing tools.
func explain(ctx context.Context, err error, dir string) error {
	if errors.Is(context.Cause(ctx), context.Canceled) && errors.Is(err, context.Canceled) {
		return errors.Join(errors.New("interrupted; all stopped"), os.RemoveAll(dir))
	}
	if _, missing := errors.AsType[*servers.MissingToolsError](err); missing {
		return errors.Join(err, os.RemoveAll(dir))
	}
	return fmt.Errorf("%w\n(logs are in %s)", err, dir)
}

// play plays the game on a running stack, waits until every change has arrived,
// and compares.
func (c *demoCommand) play(ctx context.Context, running *stack.Stack, pipeline declaration.Pipeline) error {
	t, err := openTables(verb.LocalPart(running.Info(), "leaderboard"), pipeline)
	if err != nil {
		return err
	}
	finder, err := newFinder(running.Info(), pipeline)
	if err != nil {
		return err
	}
	told, err := subscribe(ctx, running.Info(), pipeline)
	if err != nil {
		return err
	}
	verb.Say("\n%d players play for %v (seed %d)\n", c.Players, c.For, c.Seed)
	var scores, points atomic.Int64
	stopWatching := watch(ctx, refresh, func(elapsed time.Duration) {
		printLive(ctx, t.totals, elapsed, scores.Load(), points.Load())
		_ = told.receive(ctx) // it receives again in the end
		told.show()
	})
	stopFinding := watch(ctx, findEvery, func(time.Duration) {
		_ = finder.look(ctx, false) // it looks again in the end
	})
	written, err := c.game(t, func(_ string, score int) {
		scores.Add(1)
		points.Add(int64(score))
	}).Play(ctx)
	stopWatching()
	if err == nil {
		err = drain(ctx, running)
	}
	if err == nil {
		err = told.receiveAll(ctx)
		told.show()
	}
	stopFinding()
	if err = errors.Join(err, ctx.Err()); err != nil {
		return err
	}
	if err := compare(ctx, t, written, scores.Load()); err != nil {
		return err
	}
	if err := compareCopies(ctx, running.Info(), pipeline, t.scores, scores.Load()); err != nil {
		return err
	}
	if err := compareBadges(ctx, told); err != nil {
		return err
	}
	if err := compareSearches(ctx, finder, running.Info(), t, scores.Load()); err != nil {
		return err
	}
	if c.Chaos {
		printChaos(running.Info())
	}
	return printBoard(ctx, t)
}

// watch calls show time and again until the returned function is called.
func watch(ctx context.Context, every time.Duration, show func(elapsed time.Duration)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	began := time.Now()
	go func() {
		defer close(ended)
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				show(time.Since(began))
			}
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

func printLive(ctx context.Context, board *boards.Board, elapsed time.Duration, scores, points int64) {
	entries, err := board.All(ctx)
	if err != nil {
		return // the demo itself fails with it, or was interrupted
	}
	var sum decimal.Decimal
	for _, e := range entries {
		sum = sum.Add(e.Number)
	}
	verb.Say("%4.0f s  %5d scores written, %6d points  │ board %6s points", elapsed.Seconds(), scores, points, sum)
	if len(entries) > 0 && entries[0].Number.IsPositive() {
		verb.Say(", %s leads with %s", printable.Name(entries[0].Name), entries[0].Number)
	}
	verb.SayLine()
}

// drain waits until every change has arrived at every consumer.
func drain(ctx context.Context, running *stack.Stack) error {
	verb.SayLine("\nwaiting for the stream to drain …")
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, drainPatience)
	defer cancel()
	if err := running.Drain(ctx); err != nil {
		return fmt.Errorf("after %v: %w", time.Since(began).Round(time.Second), err)
	}
	verb.Say("drained after %.1f s\n", time.Since(began).Seconds())
	return nil
}
