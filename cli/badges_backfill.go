package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sluice/cli/verb"
	badgesops "sluice/consumers/badges/ops"
	"sluice/shared/operate"
)

type backfillBadgesCommand struct {
	verb.PipelineFlags
	Notify   bool          `help:"Notify players of what they are awarded."`
	Clocks   time.Duration `default:"10s" help:"By how much clocks, and a change's time and that of its write, may differ."`
	Patience time.Duration `default:"5s" help:"How long a state has to differ from the plays before it is rebuilt."`
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
	part, err := c.Part(ctx, "badges")
	if err != nil {
		return err
	}
	auditor, settings, err := badgesops.Open(part, c.Segments)
	if err != nil {
		return err
	}
	backfill := auditor.Backfill(badgesops.BackfillOptions{
		Notify: c.Notify, Patience: c.Patience, Clocks: c.Clocks, Ledger: settings.LedgerTable, Horizon: settings.Horizon, Say: verb.Say,
	})
	where, err := c.Place(ctx)
	if err != nil {
		return err
	}
	plan := operate.Plan{Verb: "sluice backfill badges", Where: where}
	if plan.Steps, err = backfill.Steps(ctx); err != nil {
		return err
	}
	if ok, err := c.Consent(c.Removal(), false).To(ctx, plan); err != nil || !ok {
		return err
	}
	done, err := backfill.Run(ctx, func(int) {})
	for _, note := range done.Notes {
		verb.SayLine(note)
	}
	if err != nil {
		return operate.GoOn(err, "What was awarded stays. Run \"sluice backfill badges\" again: it awards the rest.")
	}
	if done.Rejected > 0 {
		faults := []error{fmt.Errorf("%s refused: correct the items, or the rule's text, and run \"sluice backfill badges\" again", verb.Count(done.Rejected, "badge is", "badges are"))}
		for _, fault := range done.Faults {
			faults = append(faults, errors.New(fault))
		}
		return errors.Join(faults...)
	}
	return nil
}
