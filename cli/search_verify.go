package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"sluice/cli/verb"
	searchops "sluice/consumers/search/ops"
	"sluice/shared/operate"
	"sluice/shared/printable"
)

// maxSegments is in how many parts DynamoDB scans a table at most.
const maxSegments = 1_000_000

type verifySearchCommand struct {
	verb.PipelineFlags
	Segments int           `default:"4" help:"How many parts of each table are read side by side."`
	Patience time.Duration `default:"5s" help:"How long after the first look what differed is looked at again; changes may be on their way."`
	Wait     time.Duration `help:"Look again until nothing differs, at most this long; changes may still be on their way." placeholder:"10s"`
	Repair   bool          `help:"Make what differs the same, by the consumer's own rules: nothing newer is overwritten. Plans first, and asks."`
	JSON     bool          `help:"Print the result as JSON."`
	verb.ConsentFlags
	verb.RemoveFlags
}

func (c *verifySearchCommand) Validate() error {
	if c.Segments < 1 || c.Segments > maxSegments || c.Patience < 0 {
		return fmt.Errorf("--segments must be from 1 to %d (got %d), --patience not negative (got %v)", maxSegments, c.Segments, c.Patience)
	}
	return nil
}

// Run compares each index with its table.
func (c *verifySearchCommand) Run(ctx context.Context) error {
	pairs, err := searchops.FindOperators(ctx, c.PipelineFlags)
	if err != nil {
		return err
	}
	var failed []error
	found, whole := make([]searchops.Verification, len(pairs)), make([]bool, len(pairs))
	different, unread, compared := 0, 0, 0
	for i, p := range pairs {
		v, err := c.verify(ctx, p)
		different += len(v.Differences)
		unread += len(v.Unread)
		found[i], whole[i] = v, err == nil
		compared++
		if err != nil {
			failed = append(failed, fmt.Errorf("route %s isn't compared to its end (%d items are): %w", p.Route.Name, v.Items, err))
		}
		if errors.Is(err, searchops.ErrHung) || ctx.Err() != nil {
			for _, rest := range pairs[i+1:] {
				failed = append(failed, fmt.Errorf("route %s isn't compared at all", rest.Route.Name))
			}
			break
		}
	}
	repaired := false
	if c.Repair && len(failed) == 0 && (different > 0 || c.DryRun) {
		var err error
		if repaired, err = c.repair(ctx, pairs, found); err != nil {
			failed = append(failed, err)
		}
	}
	for i, p := range pairs[:compared] {
		if err := c.print(p, found[i], whole[i]); err != nil {
			return err
		}
	}
	if unread > 0 {
		failed = append(failed, fmt.Errorf("%d items can't be read, and aren't compared", unread))
	}
	if different > 0 {
		failed = append(failed, differing(different, found, repaired, c.RemoveExtra.Allowed))
	}
	return operate.GoOn(errors.Join(failed...), notCompared(pairs, whole))
}

// differing says how many documents differ, and what to do about it. Repaired reports that a repair
// was made, removed that it deleted what no item has.
func differing(different int, found []searchops.Verification, repaired, removed bool) error {
	refused, extra := 0, 0
	for _, v := range found {
		refused += v.Refused()
		for _, d := range v.Differences {
			if d.What == searchops.Extra {
				extra++
			}
		}
	}
	text := verb.Count(different, "document differs", "documents differ")
	if repaired {
		text = verb.Count(different, "document differed", "documents differed")
	}
	if refused > 0 {
		text += "; " + verb.Count(refused, "document is", "documents are") + " refused for good, so no repair helps: correct the items, or the definition"
	}
	rest, them, none := different-refused, "them", "none does now"
	if refused > 0 {
		them, none = "the others", "nothing else differs"
	}
	switch {
	case !repaired && rest > 0 && extra > 0:
		text += "; --repair --remove-extra makes " + them + " the same"
	case !repaired && rest > 0:
		text += "; --repair makes " + them + " the same"
	case !repaired:
	case extra > 0 && !removed:
		text += "; " + verb.Count(extra, "document without an item stays", "documents without an item stay") + ", --remove-extra deletes them"
		if rest > extra {
			text += "; look again to see that nothing else differs"
		}
	case rest > 0:
		text += "; look again to see that " + none
	}
	return errors.New(text)
}

// notCompared names the routes of which nothing is known for sure.
func notCompared(pairs []*searchops.Operator, whole []bool) string {
	var names []string
	for i, p := range pairs {
		if !whole[i] {
			names = append(names, p.Route.Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "Not compared to the end, so nothing is known of it: " + strings.Join(names, ", ") + ". Run the same again."
}

// repair plans, asks and repairs. It reports whether anything was to be repaired, and somebody agreed.
func (c *verifySearchCommand) repair(ctx context.Context, pairs []*searchops.Operator, found []searchops.Verification) (bool, error) {
	where, err := c.Place(ctx)
	if err != nil {
		return false, err
	}
	plan := operate.Plan{Verb: "sluice verify search --repair", Where: where}
	for i, p := range pairs {
		s := operate.Step{Into: "index " + p.Route.Index, From: "table " + p.Route.Source, Held: found[i].Held}
		extra := 0
		for _, d := range found[i].Differences {
			switch d.What {
			case searchops.Extra:
				extra++
			case searchops.Missing, searchops.Different:
				s.Write++
			}
		}
		if c.RemoveExtra.Allowed {
			s.Remove = extra
		} else if extra > 0 {
			s.Notes = []string{fmt.Sprintf("%d documents without an item stay; --remove-extra deletes them", extra)}
		}
		plan.Steps = append(plan.Steps, s)
	}
	if ok, err := c.Consent(c.Removal(), c.JSON).To(ctx, plan); err != nil || !ok {
		return false, err
	}
	for i, p := range pairs {
		if len(found[i].Differences) == 0 {
			continue
		}
		if err := p.Repair(ctx, found[i].Differences, c.RemoveExtra.Allowed); err != nil {
			return false, operate.GoOn(fmt.Errorf("route %s: %w", p.Route.Name, err), "What was repaired stays. Run the same again: it repairs the rest.")
		}
	}
	return true, nil
}

const (
	// longestCall is how long a server may take for one call.
	longestCall = 30 * time.Second
	// shortestCall is how long it may take at least, however short --wait is.
	shortestCall = 5 * time.Second
)

func (c *verifySearchCommand) verify(ctx context.Context, p *searchops.Operator) (searchops.Verification, error) {
	call := longestCall
	if c.Wait > 0 {
		call = min(max(c.Wait, shortestCall), longestCall)
	}
	return lookUntil(ctx, c.Wait, func(last bool) (searchops.Verification, bool, error) {
		o := searchops.VerifyOptions{Segments: c.Segments, CallTimeout: call, Waiting: sayWaiting}
		if last {
			// The looks before had no need to wait for changes on their way: others followed.
			o.Patience = c.Patience
		}
		v, err := p.Verify(ctx, o)
		if err != nil && !last && !errors.Is(err, searchops.ErrHung) {
			return v, true, notYetError{err} // an index that was just made can't be searched yet
		}
		return v, len(v.Differences) > 0, err
	})
}

// print shows what a comparison found; whole says whether it came to its end.
func (c *verifySearchCommand) print(p *searchops.Operator, v searchops.Verification, whole bool) error {
	if c.JSON {
		return verb.PrintJSON(v)
	}
	if v.Unknown > 0 {
		verb.Say("%d documents of index %s can't be looked up: their ids are hashes, and the route doesn't keep the keys.\n", v.Unknown, p.Route.Index)
	}
	for _, field := range slices.Sorted(maps.Keys(v.Unsearched)) {
		verb.Say("%d documents of index %s have a value in field %s that is too long for its mapping: no search of that field finds the value.\n", v.Unsearched[field], p.Route.Index, field)
	}
	for _, why := range v.Unread {
		verb.Say("not compared: %s\n", why)
	}
	if len(v.Differences) == 0 {
		if whole {
			verb.SayLine(allIndexed(p, v))
		}
		return nil
	}
	var w printable.Table
	var below notes
	w.Row("document", "in index "+p.Route.Index, "attribute", "in the table", "in the index", "repair")
	for _, d := range v.Differences {
		values := d.Values
		if len(values) == 0 {
			values = []searchops.ValueDifference{{}}
		}
		repair := below.cell(d.ID, repairText(d))
		for _, one := range values {
			w.Row(d.ID, d.What, one.Attribute, one.Table, one.Index, repair)
		}
	}
	if err := w.Flush(verb.Stdout); err != nil {
		return err
	}
	below.say()
	return nil
}

// repairText says what became of a repair, or why none can be made.
func repairText(d searchops.Difference) string {
	reasons := []string{d.Repair}
	for _, value := range d.Values {
		if d.Repair == "" && value.Refused != "" {
			reasons = append(reasons, value.Refused)
		}
	}
	text := strings.TrimPrefix(strings.Join(reasons, "; "), "; ")
	if d.Refused {
		return "refused: " + text
	}
	return text
}

// allIndexed says that nothing differs.
func allIndexed(p *searchops.Operator, v searchops.Verification) string {
	return fmt.Sprintf("%d items of %s: each the same in index %s, and nothing else there.", v.Items, p.Route.Source, p.Route.Index)
}

type backfillSearchCommand struct {
	verb.PipelineFlags
	Segments int `default:"4" help:"How many parts of each table are read side by side; going on needs the same number."`
	verb.ConsentFlags
}

func (c *backfillSearchCommand) Validate() error {
	if c.Segments < 1 || c.Segments > maxSegments {
		return fmt.Errorf("--segments must be from 1 to %d (got %d)", maxSegments, c.Segments)
	}
	return nil
}

// Run fills each route's index.
func (c *backfillSearchCommand) Run(ctx context.Context) error {
	pairs, err := searchops.FindOperators(ctx, c.PipelineFlags)
	if err != nil {
		return err
	}
	if ok, err := c.agreed(ctx, pairs); err != nil || !ok {
		return err
	}
	rejected := 0
	for _, p := range pairs {
		items, err := p.Items(ctx)
		if err != nil {
			return err
		}
		bar := progressbar.NewOptions64(max(items, 1), progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetDescription(p.Route.Name), progressbar.OptionShowCount())
		result, err := p.Backfill(ctx, searchops.BackfillOptions{Segments: c.Segments, Progress: func(n int) { _ = bar.Add(n) }})
		fmt.Fprintln(os.Stderr)
		verb.Say("%s: %d documents written, %d were newer in the index, %d items left out, %d rejected\n", p.Route.Name, result.Written, result.Newer, result.LeftOut, result.Rejected)
		if len(result.Faults) > 0 {
			fmt.Fprintln(os.Stderr, errors.Join(result.Faults...))
		}
		if err != nil {
			return operate.GoOn(err, "What was written stays. Run \"sluice backfill search\" again: it goes on where it stopped.")
		}
		rejected += result.Rejected
	}
	if rejected > 0 {
		return fmt.Errorf("%d items can't be indexed as the routes and the indexes' mappings say", rejected)
	}
	return nil
}

// agreed plans and asks.
func (c *backfillSearchCommand) agreed(ctx context.Context, pairs []*searchops.Operator) (bool, error) {
	where, err := c.Place(ctx)
	if err != nil {
		return false, err
	}
	plan := operate.Plan{Verb: "sluice backfill search", Where: where}
	for _, p := range pairs {
		items, err := p.Items(ctx)
		if err != nil {
			return false, err
		}
		held, err := p.Documents(ctx)
		if err != nil {
			return false, err
		}
		plan.Steps = append(plan.Steps, operate.Step{Into: "index " + p.Route.Index, From: "table " + p.Route.Source, Write: int(items), About: true, Held: held})
	}
	return c.Consent(operate.Removal{}, false).To(ctx, plan)
}
