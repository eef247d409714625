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

type verifyBadgesCommand struct {
	verb.PipelineFlags
	Segments int           `default:"4" help:"How many parts of each table are read side by side."`
	Patience time.Duration `default:"5s" help:"How long a difference has to stay before it counts; changes may be on their way."`
	Wait     time.Duration `help:"Look again until nothing differs, at most this long; changes may still be on their way." placeholder:"10s"`
	Repair   bool          `help:"Award what is missing, take back and restore what the rules say, and send what is pending. Plans first, and asks."`
	Notify   bool          `help:"With --repair, notify players of what it awards them."`
	JSON     bool          `help:"Print the result as JSON."`
	verb.ConsentFlags
	verb.RemoveFlags
}

func (c *verifyBadgesCommand) Validate() error {
	var faults []error
	if c.Segments < 1 || c.Segments > maxSegments || c.Patience < 0 {
		faults = append(faults, fmt.Errorf("--segments must be from 1 to %d (got %d), --patience not negative (got %v)", maxSegments, c.Segments, c.Patience))
	}
	if c.Notify && !c.Repair {
		faults = append(faults, errors.New("--notify is for --repair"))
	}
	return errors.Join(faults...)
}

// Run compares what players have with what their plays earn.
func (c *verifyBadgesCommand) Run(ctx context.Context) error {
	part, err := c.Part(ctx, "badges")
	if err != nil {
		return err
	}
	auditor, _, err := badgesops.Open(part, c.Segments)
	if err != nil {
		return err
	}
	v := operate.Verify(ctx, "badges", []operate.Comparison{auditor.Comparison(c.Notify)}, operate.Judging{Patience: c.Patience, Wait: c.Wait, Waiting: sayWaiting})
	var repairErr error
	if c.Repair && (v.Differences() > 0 || c.DryRun) {
		where, err := c.Place(ctx)
		if err != nil {
			return err
		}
		repairErr = v.Repair(ctx, operate.Plan{Verb: "sluice verify badges --repair", Where: where}, c.Consent(c.Removal(), c.JSON))
	}
	if c.JSON {
		err = verb.PrintJSON(v)
	} else {
		err = v.Print(verb.Stdout)
	}
	if err != nil {
		return err
	}
	if repairErr != nil {
		return repairErr
	}
	return v.Err()
}
