package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"

	"sluice/consumers/search"
	"sluice/shared/printable"
)

// maxSegments is in how many parts DynamoDB scans a table at most.
const maxSegments = 1_000_000

type verifySearchCommand struct {
	pipelineFlags
	Segments int           `default:"4" help:"How many parts of each table are read side by side."`
	Patience time.Duration `default:"5s" help:"How long after the first look what differed is looked at again; changes may be on their way."`
	Wait     time.Duration `help:"Look again until nothing differs, at most this long; changes may still be on their way." placeholder:"10s"`
	Repair   bool          `help:"Make what differs the same, by the consumer's own rules: nothing newer is overwritten."`
	JSON     bool          `help:"Print the result as JSON."`
}

func (c *verifySearchCommand) Validate() error {
	if c.Segments < 1 || c.Segments > maxSegments || c.Patience < 0 {
		return fmt.Errorf("--segments must be from 1 to %d (got %d), --patience not negative (got %v)", maxSegments, c.Segments, c.Patience)
	}
	return nil
}

// Run compares each index with its table.
func (c *verifySearchCommand) Run(ctx context.Context) error {
	pairs, err := c.searchPairs(ctx)
	if err != nil {
		return err
	}
	different := 0
	for _, p := range pairs {
		v, err := c.verify(ctx, p)
		if err != nil {
			return fmt.Errorf("route %s: %w", p.Route.Name, err)
		}
		different += len(v.Differences)
		if err := c.print(p, v); err != nil {
			return err
		}
	}
	if different > 0 && !c.Repair {
		return fmt.Errorf("%d documents differ; --repair makes them the same", different)
	}
	if different > 0 {
		return fmt.Errorf("%d documents differed; look again to see that none does now", different)
	}
	return nil
}

func (c *verifySearchCommand) verify(ctx context.Context, p *search.Pair) (search.Verification, error) {
	return lookUntil(ctx, c.Wait, func(last bool) (search.Verification, bool, error) {
		v, err := p.Verify(ctx, search.VerifyOptions{Segments: c.Segments, Patience: c.Patience, Repair: c.Repair && last})
		if err != nil && !last {
			return v, true, nil // an index that was just made can't be searched yet
		}
		return v, len(v.Differences) > 0, err
	})
}

func (c *verifySearchCommand) print(p *search.Pair, v search.Verification) error {
	if c.JSON {
		return printJSON(v)
	}
	if v.Unknown > 0 {
		say("%d documents of index %s can't be looked up: their ids are hashes, and the route doesn't keep the keys.\n", v.Unknown, p.Route.Index)
	}
	if len(v.Differences) == 0 {
		sayLine(allIndexed(p, v))
		return nil
	}
	var w printable.Table
	w.Row("document", "in index "+p.Route.Index, "repair")
	for _, d := range v.Differences {
		w.Row(d.ID, d.What, d.Repair)
	}
	return w.Flush(stdout)
}

// allIndexed says that nothing differs.
func allIndexed(p *search.Pair, v search.Verification) string {
	return fmt.Sprintf("%d items of %s: each the same in index %s, and nothing else there.", v.Items, p.Route.Source, p.Route.Index)
}

type backfillSearchCommand struct {
	pipelineFlags
	Segments int `default:"4" help:"How many parts of each table are read side by side; going on needs the same number."`
}

func (c *backfillSearchCommand) Validate() error {
	if c.Segments < 1 || c.Segments > maxSegments {
		return fmt.Errorf("--segments must be from 1 to %d (got %d)", maxSegments, c.Segments)
	}
	return nil
}

// Run fills each route's index.
func (c *backfillSearchCommand) Run(ctx context.Context) error {
	pairs, err := c.searchPairs(ctx)
	if err != nil {
		return err
	}
	rejected := 0
	for _, p := range pairs {
		items, err := p.Items(ctx)
		if err != nil {
			return err
		}
		bar := progressbar.NewOptions64(max(items, 1), progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetDescription(p.Route.Name), progressbar.OptionShowCount())
		result, err := p.Backfill(ctx, search.BackfillOptions{Segments: c.Segments, Progress: func(n int) { _ = bar.Add(n) }})
		fmt.Fprintln(os.Stderr)
		say("%s: %d documents written, %d were newer in the index, %d items left out, %d rejected\n", p.Route.Name, result.Written, result.Newer, result.LeftOut, result.Rejected)
		if err := errors.Join(append(result.Faults, err)...); err != nil && result.Rejected == 0 {
			return err
		} else if err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		rejected += result.Rejected
	}
	if rejected > 0 {
		return fmt.Errorf("%d items can't be indexed as the routes and the indexes' mappings say", rejected)
	}
	return nil
}
