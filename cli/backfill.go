package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/alecthomas/kong"
	"github.com/schollz/progressbar/v3"

	"sluice/cli/verb"
	"sluice/shared/operate"
)

type backfillCommand struct{ kong.Plugins }

// newBackfillCommand has a command for each consumer that can bring tables that exist.
func newBackfillCommand(consumers registry) backfillCommand {
	var c backfillCommand
	for _, b := range operate.Offering[operate.Backfiller](consumers) {
		own := b.Backfill()
		c.Plugins = append(c.Plugins, subcommand(b.Name(), "Bring whole tables into the destinations of "+b.Name()+", by the consumer's own rules. Run it again to resume after it was interrupted.",
			&backfillOneCommand{consumer: b.Name(), backfilling: own, Own: kong.Plugins{own}}))
	}
	return c
}

type backfillOneCommand struct {
	verb.PipelineFlags
	Segments int `default:"4" help:"How many parts of each table are read side by side; to resume takes the same number."`
	verb.ConsentFlags
	verb.RemoveFlags
	Own kong.Plugins `embed:""`

	consumer    string
	backfilling operate.Backfilling
}

// Validate checks the flags together.
func (c *backfillOneCommand) Validate() error {
	var faults []error
	if c.Segments < 1 || c.Segments > operate.MaxSegments {
		faults = append(faults, fmt.Errorf("--segments must be from 1 to %d (got %d)", operate.MaxSegments, c.Segments))
	}
	return errors.Join(append(faults, checkOwn(c.Own))...)
}

// Run plans, asks and brings one source after the other.
func (c *backfillOneCommand) Run(ctx context.Context) error {
	part, err := c.Part(ctx, c.consumer)
	if err != nil {
		return err
	}
	backfills, err := c.backfilling.Open(ctx, part, operate.Options{Segments: c.Segments, Say: verb.Say})
	if err != nil {
		return err
	}
	where, err := c.Place(ctx)
	if err != nil {
		return err
	}
	again := "sluice backfill " + c.consumer
	plan := operate.Plan{Verb: again, Where: where}
	items := make([]int, len(backfills)) // about how many each is going to bring
	for i, b := range backfills {
		steps, err := b.Steps(ctx)
		if err != nil {
			return err
		}
		plan.Steps = append(plan.Steps, steps...)
		for _, s := range steps {
			items[i] += s.Write
		}
	}
	if ok, err := c.Consent(c.Removal(), false).To(ctx, plan); err != nil || !ok {
		return err
	}
	var rejected []error
	for i, b := range backfills {
		result, err := bring(ctx, b, items[i])
		if err == nil {
			rejected = append(rejected, result.Err())
			continue
		}
		return operate.GoOn(errors.Join(result.Err(), err), fmt.Sprintf("What was written stays. Run %q again: it resumes where it stopped.", again))
	}
	return errors.Join(rejected...)
}

// bring runs one backfill and shows how far it is.
func bring(ctx context.Context, b operate.Backfill, items int) (operate.Backfilled, error) {
	name := b.Title().Name
	bar := progressbar.NewOptions(max(items, 1), progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetDescription(name), progressbar.OptionShowCount(),
		progressbar.OptionThrottle(100*time.Millisecond))
	result, err := b.Run(ctx, func(n int) { _ = bar.Add(n) })
	fmt.Fprintln(os.Stderr)
	verb.Say("%s: %s written, %d newer there, %d left out, %d rejected\n", name, operate.Count(result.Written, "item"), result.Newer, result.LeftOut, result.Rejected)
	for _, note := range result.Notes {
		verb.SayLine(note)
	}
	return result, err
}
