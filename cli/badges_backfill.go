package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/schollz/progressbar/v3"

	"sluice/cli/verb"
	badgesops "sluice/consumers/badges/ops"
	"sluice/shared/operate"
)

type backfillBadgesCommand struct {
	verb.PipelineFlags
	Notify   bool          `help:"Tell players of what they are awarded."`
	Clocks   time.Duration `default:"10s" help:"By how much clocks, and a change's time and that of its write, may differ."`
	Patience time.Duration `default:"5s" help:"How long after the first look a state that isn't what the plays come to is looked at again."`
	Segments int           `default:"4" help:"In how many parts tables are scanned side by side."`
	verb.ConsentFlags
	verb.RemoveFlags
}

func (c *backfillBadgesCommand) Validate() error {
	if c.Segments < 1 || c.Segments > 1000 || c.Clocks < 0 || c.Patience < 0 {
		return fmt.Errorf("--segments must be from 1 to 1000 (got %d), --clocks and --patience not negative (got %v, %v)", c.Segments, c.Clocks, c.Patience)
	}
	return nil
}

// Run rebuilds the states that aren't what the plays come to, and awards what all states earn.
func (c *backfillBadgesCommand) Run(ctx context.Context) error {
	found, err := badgesops.FindOperator(ctx, c.PipelineFlags)
	if err != nil {
		return err
	}
	auditor := found.Auditor()
	v, err := auditor.Verify(ctx, badgesops.VerifyOptions{Segments: c.Segments, Patience: c.Patience, Waiting: sayWaiting})
	if err != nil {
		return err
	}
	rebuilds, err := c.rebuilds(ctx, found, auditor, v)
	if err != nil {
		return err
	}
	if ok, err := c.agreed(ctx, found, v, rebuilds); err != nil || !ok {
		return err
	}
	for _, r := range rebuilds {
		verb.Say("The state that view %s keeps isn't what the plays come to; it is rebuilt.\n", r.View.Name)
		if err := r.run(ctx, c.Clocks, c.Segments); err != nil {
			return err
		}
	}
	bar := progressbar.NewOptions(max(v.Players, 1), progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetDescription("players"), progressbar.OptionShowCount(),
		progressbar.OptionThrottle(100*time.Millisecond))
	done, err := auditor.Backfill(ctx, badgesops.BackfillOptions{Segments: c.Segments, Notify: c.Notify, Progress: func(done, of int) {
		bar.ChangeMax(max(of, 1))
		_ = bar.Set(done)
	}})
	fmt.Fprintln(os.Stderr)
	verb.Say("%s looked at: %s awarded, %d told.\n", verb.Count(done.Players, "player", "players"), verb.Count(done.Awarded, "badge", "badges"), done.Told)
	if err != nil {
		return operate.GoOn(err, "What was awarded stays. Run \"sluice backfill badges\" again: it awards the rest.")
	}
	if len(done.Faults) > 0 {
		return fmt.Errorf("%w\n%s refused: correct the items, or the rule's text, and run \"sluice backfill badges\" again",
			errors.Join(done.Faults...), verb.Count(done.Refused, "badge is", "badges are"))
	}
	return nil
}

// rebuilds are those of the views whose state isn't what the plays come to.
func (c *backfillBadgesCommand) rebuilds(ctx context.Context, found badgesops.Operator, auditor *badgesops.Auditor, v badgesops.Verification) ([]rebuilding, error) {
	var rebuilds []rebuilding
	for _, name := range v.Rebuild() {
		view, err := auditor.Rebuildable(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("the state that view %s keeps has less than the plays come to, and stays so: %w", name, err)
		}
		rebuilds = append(rebuilds, rebuilding{
			operate.Rebuild{View: view, Ledger: found.Settings.LedgerTable, Horizon: found.Settings.Horizon}, dynamodb.NewFromConfig(found.Tables), "sluice backfill badges",
		})
	}
	return rebuilds, nil
}

// agreed plans and asks.
func (c *backfillBadgesCommand) agreed(ctx context.Context, found badgesops.Operator, v badgesops.Verification, rebuilds []rebuilding) (bool, error) {
	where, err := c.Place(ctx)
	if err != nil {
		return false, err
	}
	plan := operate.Plan{Verb: "sluice backfill badges", Where: where}
	for _, r := range rebuilds {
		step, err := r.step(ctx, c.Segments)
		if err != nil {
			return false, err
		}
		plan.Steps = append(plan.Steps, step)
	}
	awards := operate.Step{Into: "table " + found.Settings.AchievementTable, From: "table " + found.Settings.ScoreTable, Write: v.Counts()[badgesops.Missing], About: true, Held: v.Badges}
	if c.Notify {
		awards.Act = "players are told of what they are awarded"
	}
	plan.Steps = append(plan.Steps, awards)
	return c.Consent(c.Removal(), false).To(ctx, plan)
}
