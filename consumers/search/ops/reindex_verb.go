package ops

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"sluice/cli/verb"
	"sluice/shared/declaration"
	"sluice/shared/operate"
	"sluice/shared/printable"
)

type reindexCommand struct {
	verb.PipelineFlags
	Route           string `arg:"" help:"The route; \"sluice lint\" lists them."`
	Segments        int    `default:"4" help:"How many parts of the table are read side by side; going on needs the same number."`
	LeaveOutRefused bool   `help:"Move the alias though the new index can't take some documents."`
	KeepOld         bool   `help:"Don't delete the old index."`
	Abort           bool   `help:"Give up a reindex that was begun: delete the new index."`
	JSON            bool   `help:"Print the result as JSON."`
	verb.ConsentFlags
	verb.RemoveFlags
}

func (c *reindexCommand) Validate() error {
	if c.Segments < 1 || c.Segments > 1000 {
		return fmt.Errorf("--segments must be from 1 to 1000 (got %d)", c.Segments)
	}
	return nil
}

// Run rebuilds a route's index.
func (c *reindexCommand) Run(ctx context.Context, pipeline declaration.Pipeline) error {
	all, err := FindOperators(ctx, c.PipelineFlags, pipeline)
	if err != nil {
		return err
	}
	p, err := chosenOperator(all, c.Route)
	if err != nil {
		return err
	}
	if c.Abort {
		return c.abort(ctx, p)
	}
	plan, err := p.PlanReindex(ctx, c.Segments)
	if err != nil {
		return err
	}
	if c.DryRun {
		if err := c.printPlan(p, plan); err != nil {
			return err
		}
	}
	if plan.Refused != "" {
		return errors.New(plan.Refused)
	}
	old := "is then deleted"
	if c.KeepOld {
		old = "stays"
	}
	step := operate.Step{
		Into: "index " + plan.To, From: "table " + p.Route.Source, Write: plan.Items, About: true,
		Act: fmt.Sprintf("it takes the place of %s, which %s", plan.From, old),
	}
	if ok, err := c.agreed(ctx, step); err != nil || !ok {
		return err
	}
	out := reindexOutput{table: p.Route.Source}
	done, err := p.Reindex(ctx, ReindexOptions{
		Segments: c.Segments, LeaveOutRefused: c.LeaveOutRefused, KeepOld: c.KeepOld, Progress: out.show, Fewer: c.fewer(p),
	})
	out.end()
	if done.Moved {
		if printErr := c.print(done); printErr != nil {
			return printErr
		}
	}
	return c.advise(p, done, err)
}

// chosenOperator returns the operator of a route.
func chosenOperator(all []*Operator, route string) (*Operator, error) {
	var names []string
	for _, p := range all {
		if p.Route.Name == route {
			return p, nil
		}
		names = append(names, p.Route.Name)
	}
	return nil, fmt.Errorf("there is no route %q; there are %s", route, strings.Join(names, ", "))
}

// advise adds to an error what can be done.
func (c *reindexCommand) advise(p *Operator, done Reindexed, err error) error {
	if err == nil || done.Moved || done.To == "" {
		return err
	}
	if _, ok := errors.AsType[*RefusedError](err); ok {
		return fmt.Errorf("%w\ncorrect the items, or the definition after --abort; or move the alias without them: --leave-out-refused.\nindex %s is what it was, and changes go to both indexes", err, p.Route.Index)
	}
	return operate.GoOn(err, fmt.Sprintf("Index %s is what it was. Changes go to it and, if it was made, to index %s. Run \"sluice reindex %s\" again to resume, or with --abort to give it up.",
		p.Route.Index, done.To, c.Route))
}

// agreed asks for what the plan's step says.
func (c *reindexCommand) agreed(ctx context.Context, step operate.Step) (bool, error) {
	where, err := c.Place(ctx)
	if err != nil {
		return false, err
	}
	verb := "sluice reindex " + c.Route
	if c.Abort {
		verb += " --abort"
	}
	return c.Consent(operate.Removal{}, c.JSON).To(ctx, operate.Plan{Verb: verb, Where: where, Steps: []operate.Step{step}})
}

// fewer refuses a new index that has fewer documents than may be lost.
func (c *reindexCommand) fewer(p *Operator) func(before, after int) error {
	return func(before, after int) error {
		return c.Removal().Check(operate.Plan{Steps: []operate.Step{{
			Into: "index " + p.Route.Index, From: "table " + p.Route.Source, Held: before, Remove: max(0, before-after),
		}}})
	}
}

func (c *reindexCommand) abort(ctx context.Context, p *Operator) error {
	begun, err := p.PlanReindex(ctx, c.Segments)
	if err != nil {
		return err
	}
	if !begun.Resumes && begun.Refused == "" {
		return fmt.Errorf("no reindex of %s is under way", p.Route.Index)
	}
	if ok, err := c.agreed(ctx, operate.Step{Into: "index " + begun.To, Act: "it is deleted; nobody searches it"}); err != nil || !ok {
		return err
	}
	dropped, err := p.AbortReindex(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return verb.PrintJSON(map[string]string{"deleted": dropped})
	}
	verb.Say("Index %s is deleted; index %s is what it was.\n", dropped, p.Route.Index)
	return nil
}

// printPlan says what would be done, and how the mapping changes.
func (c *reindexCommand) printPlan(p *Operator, plan ReindexPlan) error {
	if c.JSON {
		return verb.PrintJSON(plan)
	}
	if plan.Refused != "" {
		verb.Say("Index %s leads to %s. Index %s was begun, and this reindex can't resume it.\n", p.Route.Index, plan.From, plan.To)
		return nil
	}
	doing := "would be filled"
	if plan.Resumes {
		doing = "was begun, and would be filled further"
	}
	verb.Say("Index %s leads to %s. Index %s %s from about %d items of %s, and take its place.\n", p.Route.Index, plan.From, plan.To, doing, plan.Items, p.Route.Source)
	printLeft(plan.Left)
	if len(plan.Changes) == 0 {
		verb.SayLine("The mapping stays as it is.")
		return nil
	}
	var w printable.Table
	w.Row("field", "mapped as", "then as")
	for _, f := range plan.Changes {
		w.Row(cmp.Or(f.Field, "-"), cmp.Or(f.Before, "-"), cmp.Or(f.After, "-"))
	}
	return w.Flush(verb.Stdout)
}

func printLeft(left []string) {
	if len(left) > 0 {
		verb.Say("Nobody searches %s any more; delete what isn't needed.\n", strings.Join(left, ", "))
	}
}

// print says what was done.
func (c *reindexCommand) print(done Reindexed) error {
	if c.JSON {
		return verb.PrintJSON(done)
	}
	verb.Say("Route %s: its index is %s now, in the place of %s: %d items read, %d documents written, %d tombstones copied.\n",
		done.Route, done.To, done.From, done.Read, done.Written, done.Tombstones)
	if done.Refused > 0 {
		verb.Say("%d documents were refused and left out:\n  %s\n", done.Refused, strings.Join(done.Reasons, "\n  "))
	}
	if done.Kept {
		verb.Say("Index %s is still there; delete it when nobody needs it.\n", done.From)
	}
	printLeft(done.Left)
	return nil
}

// reindexOutput shows on standard error how far a reindex has come: a bar on a terminal, and a line for each phase.
type reindexOutput struct {
	table string
	bar   *verb.Bar
	last  ReindexPhase
}

func (o *reindexOutput) show(p ReindexProgress) {
	if p.Phase != o.last {
		o.end()
		o.last = p.Phase
		until := p.Until.Format(time.TimeOnly)
		fmt.Fprintf(os.Stderr, "%s: %s\n", p.To, map[ReindexPhase]string{
			Announcing: "waiting until " + until + ", when all changes go there, too",
			Reading:    "reading " + o.table,
			Burying:    "copying what is known of removed items",
			Moving:     "moving the aliases",
			Ending:     "in place; waiting until " + until + " or longer for searches of the old index",
		}[p.Phase])
	}
	if !verb.IsTerminal(os.Stderr) || p.Phase != Reading || p.Items == 0 {
		return
	}
	if o.bar == nil {
		// DynamoDB counts a table's items every six hours.
		o.bar = verb.NewBar(os.Stderr, "items", max(p.Total, 1))
	}
	o.bar.Set(p.Items)
}

// end ends a phase.
func (o *reindexOutput) end() {
	o.bar.Finish()
	o.bar = nil
}
