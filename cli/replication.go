package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"

	"sluice/cli/verb"
	"sluice/consumers/replication"
	replicationops "sluice/consumers/replication/ops"
	"sluice/shared/operate"
	"sluice/shared/printable"
)

// pairsOf returns the copies of the chosen pipeline with their sources, and its
// shared tables in each two regions.
func pairsOf(ctx context.Context, f verb.PipelineFlags) (replicationops.Pairs, error) {
	p, err := f.Part(ctx, "replication")
	if err != nil {
		return replicationops.Pairs{}, err
	}
	return replicationops.NewPairs(p)
}

type verifyReplicationCommand struct {
	verb.PipelineFlags
	Segments int           `default:"4" help:"How many parts of each table are read side by side."`
	Patience time.Duration `default:"5s" help:"How long after the first look what differed is looked at again; changes may be on their way."`
	Wait     time.Duration `help:"Look again until nothing differs, at most this long; changes may still be on their way." placeholder:"10s"`
	Repair   bool          `help:"Make what differs the same, by the consumer's own rules: nothing newer is overwritten. Plans first, and asks."`
	JSON     bool          `help:"Print the result as JSON."`
	verb.ConsentFlags
	verb.RemoveFlags
}

func (c *verifyReplicationCommand) Validate() error {
	if c.Segments < 1 || c.Patience < 0 {
		return fmt.Errorf("--segments must be at least 1 (got %d), --patience not negative (got %v)", c.Segments, c.Patience)
	}
	return nil
}

// Run compares each copy with its source, and repairs it if asked.
func (c *verifyReplicationCommand) Run(ctx context.Context) error {
	pairs, err := pairsOf(ctx, c.PipelineFlags)
	if err != nil {
		return err
	}
	found := make([]replication.Verification, len(pairs.All()))
	different := 0
	for i, p := range pairs.All() {
		if found[i], err = c.verify(ctx, p); err != nil {
			return operate.GoOn(err, fmt.Sprintf("Table %s and its copy in %s were not compared to the end, so nothing is known of them. Run the same again.", p.Route.Source, p.Route.Region))
		}
		different += len(found[i].Differences)
	}
	var repairErr error
	repaired := false
	if c.Repair && (different > 0 || c.DryRun) {
		repaired, repairErr = c.repair(ctx, pairs.All(), found)
	}
	for i, p := range pairs.All() {
		if err := c.print(p, found[i]); err != nil {
			return err
		}
	}
	if repairErr != nil || different == 0 {
		return repairErr
	}
	return differingItems(different, hasExtra(pairs.All(), found), repaired)
}

// differingItems says how many items differ, and what to do about it. Extra reports that some are in a copy alone, repaired that a
// repair was made.
func differingItems(different int, extra, repaired bool) error {
	advice := "--repair makes them the same, or says of each why it can't" // an item may be too large for a copy
	switch {
	case repaired:
		advice = "the last column says what became of each. Look again to see what differs now"
	case extra:
		advice = "--repair --remove-extra makes them the same, or says of each why it can't"
	}
	return fmt.Errorf("%s; %s", verb.Plural(different, "difference"), advice)
}

// hasExtra reports whether any copy has items that its source hasn't, which no repair deletes unasked.
func hasExtra(pairs []*replication.Pair, found []replication.Verification) bool {
	for i, p := range pairs {
		for _, d := range found[i].Differences {
			if d.What == replication.Extra && !p.Shared() {
				return true
			}
		}
	}
	return false
}

// repair plans, asks and repairs. It reports whether anything was to be repaired, and somebody agreed.
func (c *verifyReplicationCommand) repair(ctx context.Context, pairs []*replication.Pair, found []replication.Verification) (bool, error) {
	where, err := c.Place(ctx)
	if err != nil {
		return false, err
	}
	plan := operate.Plan{Verb: "sluice verify replication --repair", Where: where}
	for i, p := range pairs {
		plan.Steps = append(plan.Steps, repairStep(p, found[i], c.RemoveExtra.Allowed))
	}
	if ok, err := c.Consent(c.Removal(), c.JSON).To(ctx, plan); err != nil || !ok {
		return false, err
	}
	for i, p := range pairs {
		if err := p.Repair(ctx, found[i].Differences, c.RemoveExtra.Allowed); err != nil {
			return false, operate.GoOn(err, "What was repaired stays. Run the same again: it repairs the rest.")
		}
	}
	return true, nil
}

// repairStep says what a repair of a pair would do.
func repairStep(p *replication.Pair, v replication.Verification, remove bool) operate.Step {
	s := operate.Step{
		Into: fmt.Sprintf("table %s in %s", p.Route.Table, p.Route.Region), From: fmt.Sprintf("table %s in %s", p.Route.Source, p.Home), Held: v.Held,
	}
	counts := map[string]int{}
	for _, d := range v.Differences {
		counts[d.What]++
	}
	s.Write = counts[replication.Missing] + counts[replication.Different]
	extra := counts[replication.Extra]
	switch {
	case extra == 0:
	case p.Shared():
		s.Write += extra
		s.Notes = append(s.Notes, fmt.Sprintf("%d of them are not in %s: they are written there, or deleted here if they were deleted there later", extra, s.From))
	case remove:
		s.Remove = extra
	default:
		s.Notes = append(s.Notes, fmt.Sprintf("%d items that %s doesn't have stay; --remove-extra deletes them", extra, s.From))
	}
	if overwritten := counts[replication.Different]; overwritten*2 > v.Held {
		s.Notes = append(s.Notes, fmt.Sprintf("%d of %d items are overwritten; is %s the right source?", overwritten, v.Held, s.From))
	}
	return s
}

func (c *verifyReplicationCommand) verify(ctx context.Context, p *replication.Pair) (replication.Verification, error) {
	return lookUntil(ctx, c.Wait, func(bool) (replication.Verification, bool, error) {
		v, err := p.Verify(ctx, replication.VerifyOptions{Segments: c.Segments, Patience: c.Patience, Waiting: sayWaiting})
		return v, len(v.Differences) > 0, err
	})
}

func (c *verifyReplicationCommand) print(p *replication.Pair, v replication.Verification) error {
	if c.JSON {
		return verb.PrintJSON(v)
	}
	if len(v.Differences) == 0 {
		verb.SayLine(replicationops.AllTheSame(p, v))
		return nil
	}
	var w printable.Table
	w.Row("item", "in "+p.Route.Region, "repair")
	for _, d := range v.Differences {
		w.Row(d.Key, d.What, d.Repair)
		for _, a := range d.Attributes {
			w.Row("  "+a.Path, fmt.Sprintf("%s in %s, %s in %s", a.Source, p.Home, a.Copy, p.Route.Region), "")
		}
	}
	return w.Flush(verb.Stdout)
}

type backfillCommand struct {
	Replication backfillReplicationCommand `cmd:"" help:"Copy the whole table into its copy, by the consumer's own rules. Run it again to go on after it was broken off."`
	Badges      backfillBadgesCommand      `cmd:"" help:"Award what players have earned before: after a rule was added, or where there were plays before the consumer. Nobody is told, unless with --notify. Run it again to go on after it was broken off."`
	Search      backfillSearchCommand      `cmd:"" help:"Fill the indexes from whole tables, by the consumer's own rules. Run it again to go on after it was broken off."`
}

type backfillReplicationCommand struct {
	verb.PipelineFlags
	Segments int     `default:"4" help:"How many parts of the table are copied side by side; going on needs the same number."`
	Capacity float64 `help:"How many write units a second it may take; without it, as many as it can." placeholder:"N"`
	verb.ConsentFlags
}

func (c *backfillReplicationCommand) Validate() error {
	if c.Segments < 1 || c.Capacity < 0 {
		return fmt.Errorf("--segments must be at least 1 (got %d), --capacity not negative (got %v)", c.Segments, c.Capacity)
	}
	return nil
}

// Run copies each route's source.
func (c *backfillReplicationCommand) Run(ctx context.Context) error {
	pairs, err := pairsOf(ctx, c.PipelineFlags)
	if err != nil {
		return err
	}
	if len(pairs.Copies) == 0 {
		return errors.New("no table is copied one way; of a shared table, sluice verify replication --repair brings what is missing to the other regions")
	}
	if ok, err := c.agreed(ctx, pairs.Copies); err != nil || !ok {
		return err
	}
	for _, p := range pairs.Copies {
		items, _, err := p.Counts(ctx)
		if err != nil {
			return err
		}
		bar := progressbar.NewOptions64(max(items, 1), progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetDescription(p.Route.Name), progressbar.OptionShowCount())
		result, err := p.Backfill(ctx, replication.BackfillOptions{Segments: c.Segments, Capacity: c.Capacity, Progress: func(n int) { _ = bar.Add(n) }})
		fmt.Fprintln(os.Stderr)
		verb.Say("%s: %d items copied, %d were newer in the copy, %d left out, %d rejected\n", p.Route.Name, result.Copied, result.Newer, result.LeftOut, result.Rejected)
		if err != nil {
			return operate.GoOn(errors.Join(append(result.Faults, err)...), "What was copied stays. Run \"sluice backfill replication\" again: it goes on where it stopped.")
		}
		if err := errors.Join(result.Faults...); err != nil {
			return err
		}
	}
	return nil
}

// agreed plans and asks.
func (c *backfillReplicationCommand) agreed(ctx context.Context, copies []*replication.Pair) (bool, error) {
	where, err := c.Place(ctx)
	if err != nil {
		return false, err
	}
	plan := operate.Plan{Verb: "sluice backfill replication", Where: where}
	for _, p := range copies {
		items, held, err := p.Counts(ctx)
		if err != nil {
			return false, err
		}
		plan.Steps = append(plan.Steps, operate.Step{
			Into: fmt.Sprintf("table %s in %s", p.Route.Table, p.Route.Region), From: fmt.Sprintf("table %s in %s", p.Route.Source, p.Home),
			Write: int(items), About: true, Held: int(held),
		})
	}
	return c.Consent(operate.Removal{}, false).To(ctx, plan)
}
