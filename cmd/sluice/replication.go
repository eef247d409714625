package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/schollz/progressbar/v3"

	"sluice/consumers/replication"
	"sluice/deploy/local/stack"
	"sluice/shared/printable"
)

// pairs returns the copies of the chosen pipeline with their sources, and its
// shared tables in each two regions.
func (f pipelineFlags) pairs(ctx context.Context) (pairs, error) {
	if f.Stack != "" {
		cfg, outputs, err := deployedOutputs(ctx, f.Stack, "")
		if err != nil {
			return pairs{}, err
		}
		return newPairs(cfg, "stack "+f.Stack, outputs)
	}
	info, err := f.load(ctx)
	if err != nil {
		return pairs{}, err
	}
	if info.State != stack.Ready {
		return pairs{}, fmt.Errorf("the local stack is %s; start it with \"sluice up\", or name a deployed one with --stack", info.State)
	}
	return localPairs(info)
}

// pairs are the tables that must hold the same.
type pairs struct{ copies, shared []*replication.Pair }

func (p pairs) all() []*replication.Pair { return slices.Concat(p.copies, p.shared) }

// localPairs returns the pairs of a local stack.
func localPairs(info stack.Info) (pairs, error) {
	return newPairs(info.DynamoDB(), "the local stack", info.Outputs["replication"])
}

// newPairs makes the pairs of the outputs that replication's template promises. It
// has those of a copy, or those of a shared table, or both.
func newPairs(cfg aws.Config, where string, outputs map[string]string) (pairs, error) {
	s := replication.DefaultSettings()
	needed := map[string]*string{"SourceTable": &s.SourceTable, "TombstoneTable": &s.TombstoneTable}
	_, shares := outputs["SharedRegions"]
	_, copies := outputs["ReplicaRegion"]
	if copies || !shares {
		needed["ReplicaTable"], needed["ReplicaRegion"] = &s.ReplicaTable, &s.ReplicaRegion
	}
	if shares {
		needed["ConflictTable"] = &s.ConflictTable
	}
	var faults []error
	for name, to := range needed {
		if *to = outputs[name]; *to == "" {
			faults = append(faults, fmt.Errorf("%s has no output %s", where, name))
		}
	}
	var err error
	if s.RemoveExpired, err = strconv.ParseBool(outputs["RemoveExpired"]); err != nil {
		faults = append(faults, fmt.Errorf("%s: output RemoveExpired is %q, want true or false", where, outputs["RemoveExpired"]))
	}
	if len(faults) > 0 {
		return pairs{}, fmt.Errorf("%w\nis it a stack of consumers/replication/template.yaml?", errors.Join(faults...))
	}
	var p pairs
	if p.copies, err = replication.Pairs(replication.Tuned(cfg), s); err != nil {
		return p, err
	}
	if p.shared, err = replication.SharedPairs(replication.Tuned(cfg), s); err != nil {
		return p, err
	}
	if shares != (len(p.shared) > 0) {
		return p, fmt.Errorf("%s shares a table: %v, but %s in this program does: %v; after a change of that file build the program anew (go install ./cmd/sluice)",
			where, shares, replication.RoutesPath, len(p.shared) > 0)
	}
	return p, nil
}

type verifyReplicationCommand struct {
	pipelineFlags
	Segments int           `default:"4" help:"How many parts of each table are read side by side."`
	Patience time.Duration `default:"5s" help:"How long after the first look what differed is looked at again; changes may be on their way."`
	Wait     time.Duration `help:"Look again until nothing differs, at most this long; changes may still be on their way." placeholder:"10s"`
	Repair   bool          `help:"Make what differs the same, by the consumer's own rules: nothing newer is overwritten."`
	JSON     bool          `help:"Print the result as JSON."`
}

func (c *verifyReplicationCommand) Validate() error {
	if c.Segments < 1 || c.Patience < 0 {
		return fmt.Errorf("--segments must be at least 1 (got %d), --patience not negative (got %v)", c.Segments, c.Patience)
	}
	return nil
}

// Run compares each copy with its source.
func (c *verifyReplicationCommand) Run(ctx context.Context) error {
	pairs, err := c.pairs(ctx)
	if err != nil {
		return err
	}
	different := 0
	for _, p := range pairs.all() {
		v, err := c.verify(ctx, p)
		if err != nil {
			return err
		}
		different += len(v.Differences)
		if err := c.print(p, v); err != nil {
			return err
		}
	}
	if different > 0 && !c.Repair {
		return fmt.Errorf("%d items differ; --repair makes them the same", different)
	}
	if different > 0 {
		return fmt.Errorf("%d items differed; look again to see that none does now", different)
	}
	return nil
}

func (c *verifyReplicationCommand) verify(ctx context.Context, p *replication.Pair) (replication.Verification, error) {
	return lookUntil(ctx, c.Wait, func(last bool) (replication.Verification, bool, error) {
		v, err := p.Verify(ctx, replication.VerifyOptions{Segments: c.Segments, Patience: c.Patience, Repair: c.Repair && last})
		return v, len(v.Differences) > 0, err
	})
}

func (c *verifyReplicationCommand) print(p *replication.Pair, v replication.Verification) error {
	if c.JSON {
		return printJSON(v)
	}
	if len(v.Differences) == 0 {
		sayLine(allTheSame(p, v))
		return nil
	}
	var w printable.Table
	w.Row("item", "in "+p.Route.Region, "repair")
	for _, d := range v.Differences {
		w.Row(d.Key, d.What, d.Repair)
	}
	return w.Flush(stdout)
}

// allTheSame says that nothing differs.
func allTheSame(p *replication.Pair, v replication.Verification) string {
	to := "in " + p.Route.Region
	if p.Route.Table != p.Route.Source {
		to = fmt.Sprintf("in %s in %s", p.Route.Table, p.Route.Region)
	}
	return fmt.Sprintf("%d items of %s in %s: each the same %s.", v.Items, p.Route.Source, p.Home, to)
}

type backfillCommand struct {
	Replication backfillReplicationCommand `cmd:"" help:"Copy the whole table into its copy, by the consumer's own rules. Run it again to go on after it was broken off."`
	Badges      backfillBadgesCommand      `cmd:"" help:"Award what players have earned before: after a rule was added, or where there were plays before the consumer. Nobody is told, unless with --notify. Run it again to go on after it was broken off."`
	Search      backfillSearchCommand      `cmd:"" help:"Fill the indexes from whole tables, by the consumer's own rules. Run it again to go on after it was broken off."`
}

type backfillReplicationCommand struct {
	pipelineFlags
	Segments int     `default:"4" help:"How many parts of the table are copied side by side; going on needs the same number."`
	Capacity float64 `help:"How many write units a second it may take; without it, as many as it can." placeholder:"N"`
}

func (c *backfillReplicationCommand) Validate() error {
	if c.Segments < 1 || c.Capacity < 0 {
		return fmt.Errorf("--segments must be at least 1 (got %d), --capacity not negative (got %v)", c.Segments, c.Capacity)
	}
	return nil
}

// Run copies each route's source.
func (c *backfillReplicationCommand) Run(ctx context.Context) error {
	pairs, err := c.pairs(ctx)
	if err != nil {
		return err
	}
	if len(pairs.copies) == 0 {
		return errors.New("no table is copied one way; of a shared table, sluice verify replication --repair brings what is missing to the other regions")
	}
	for _, p := range pairs.copies {
		items, err := p.Items(ctx)
		if err != nil {
			return err
		}
		bar := progressbar.NewOptions64(max(items, 1), progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetDescription(p.Route.Name), progressbar.OptionShowCount())
		result, err := p.Backfill(ctx, replication.BackfillOptions{Segments: c.Segments, Capacity: c.Capacity, Progress: func(n int) { _ = bar.Add(n) }})
		fmt.Fprintln(os.Stderr)
		say("%s: %d items copied, %d were newer in the copy, %d left out, %d rejected\n", p.Route.Name, result.Copied, result.Newer, result.LeftOut, result.Rejected)
		if err := errors.Join(append(result.Faults, err)...); err != nil {
			return err
		}
	}
	return nil
}
