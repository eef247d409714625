package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/cli/verb"
	"sluice/shared/aggregate"
	"sluice/shared/operate"
	"sluice/shared/rebuild"
	"sluice/shared/view"
)

type rebuildCommand struct {
	verb.PipelineFlags
	View     string        `arg:"" help:"The view, such as badges-total; \"sluice lint\" lists them."`
	Clocks   time.Duration `default:"10s" help:"By how much clocks, and a change's time and that of its write, may differ."`
	Segments int           `default:"8" help:"In how many parts tables are scanned side by side."`
	Abort    bool          `help:"Give up the rebuild that is under way. The view keeps its old sums, which were kept current. Refused once the new sums are being put in place."`
	verb.ConsentFlags
	verb.RemoveFlags
}

func (c *rebuildCommand) Run(ctx context.Context, consumers registry) error {
	if c.Clocks < 0 {
		return fmt.Errorf("--clocks must not be negative (got %v)", c.Clocks)
	}
	if c.Segments < 1 || c.Segments > 1000 {
		return fmt.Errorf("--segments must be from 1 to 1000 (got %d)", c.Segments)
	}
	r, err := c.find(ctx, consumers)
	if err != nil {
		return err
	}
	where, err := c.Place(ctx)
	if err != nil {
		return err
	}
	plan := operate.Plan{Verb: r.again, Where: where}
	if c.Abort {
		plan.Verb += " --abort"
		plan.Steps = []operate.Step{{Into: fmt.Sprintf("view %s in table %s", r.View.Name, r.View.Table), Act: "the rebuild that is under way is given up"}}
	} else {
		step, err := r.tool(c.Segments).Step(ctx)
		if err != nil {
			return err
		}
		plan.Steps = []operate.Step{step}
	}
	if ok, err := c.Consent(c.Removal(), false).To(ctx, plan); err != nil || !ok {
		return err
	}
	if c.Abort {
		return r.abort(ctx)
	}
	if err := r.run(ctx, c.Clocks, c.Segments); err != nil {
		return err
	}
	if r.After != "" {
		verb.SayLine(r.After)
	}
	return nil
}

// rebuilding is a view with what its rebuild needs to know.
type rebuilding struct {
	operate.Rebuild
	client *dynamodb.Client
	again  string // the command that goes on
}

// find finds the consumer that has the view, and its part of the chosen pipeline.
func (c *rebuildCommand) find(ctx context.Context, consumers registry) (rebuilding, error) {
	for _, r := range operate.Offering[operate.Rebuilder](consumers) {
		views, err := r.Views()
		if err != nil {
			return rebuilding{}, err
		}
		if !slices.ContainsFunc(views, func(v *view.View) bool { return v.Name == c.View }) {
			continue
		}
		p, err := c.Part(ctx, r.Name())
		if err != nil {
			return rebuilding{}, err
		}
		found, err := r.Rebuild(ctx, p, c.View)
		return rebuilding{found, dynamodb.NewFromConfig(p.Tables), "sluice rebuild " + c.View}, err
	}
	return rebuilding{}, fmt.Errorf("there is no view %q; \"sluice lint\" lists them", c.View)
}

func (r rebuilding) tool(segments int) *rebuild.Tool {
	return &rebuild.Tool{
		Client: r.client, View: r.View, Ledger: r.Ledger, Horizon: r.Horizon, Now: time.Now,
		Announcing: rebuild.DefaultAnnouncing, Segments: segments, Limit: rebuild.DefaultLimit,
	}
}

// run rebuilds the view and shows how far it has come.
func (r rebuilding) run(ctx context.Context, clocks time.Duration, segments int) error {
	out := &progressOutput{out: verb.Stdout.Raw(), terminal: verb.Stdout.Terminal()}
	tool := r.tool(segments)
	tool.Clocks, tool.Progress = clocks, out.show
	done, err := tool.Run(ctx)
	out.end()
	switch {
	case err == nil:
	case done.Generation == 0 || errors.Is(err, rebuild.ErrAborted):
		return err
	case done.Phase == aggregate.Switching:
		return operate.GoOn(err, fmt.Sprintf("Some of the view's items have their new sums, others their old ones, and all are kept current. Run \"%s\" again to finish.", r.again))
	default:
		return operate.GoOn(err, fmt.Sprintf("The view's sums are what they were, and kept current. Run \"%[1]s\" again: it goes on where it stopped. Or give it up: \"%[1]s --abort\".", r.again))
	}
	verb.Say("View %s is rebuilt (generation %d).\n", r.View.Name, done.Generation)
	if done.Resumed {
		verb.SayLine("This run went on with a rebuild that had stopped; what an earlier run couldn't use is not counted here.")
	}
	operate.PrintUnusable(verb.Stdout, r.View.Source, done.Unusable, done.Named)
	return nil
}

// abort gives up the view's rebuild.
func (r rebuilding) abort(ctx context.Context) error {
	generation, err := r.tool(1).Abort(ctx)
	if err != nil {
		return fmt.Errorf("view %s: %w", r.View.Name, err)
	}
	verb.Say("The rebuild of view %s is given up (generation %d). The view's sums are what they were, and kept current.\n", r.View.Name, generation)
	return nil
}

// progressOutput shows how far a rebuild has come: a bar on a terminal, and a line for
// each phase.
type progressOutput struct {
	out      io.Writer
	terminal bool
	bar      *verb.Bar
	last     rebuild.Progress
}

// titles say what happens in each phase.
var titles = map[aggregate.Phase]string{
	aggregate.Opening:   "announcing when it begins",
	aggregate.Scanning:  "reading the source",
	aggregate.Closing:   "announcing when it ends",
	aggregate.Switching: "putting the new sums in place",
}

func (o *progressOutput) show(p rebuild.Progress) {
	last := o.last
	o.last = p
	if p.Phase != last.Phase || p.Generation != last.Generation {
		o.end()
		if p.Phase == "" {
			return
		}
		if p.Anew && !last.Anew {
			fmt.Fprintln(o.out, "An announcement took too long, so some function may not have heard of it in time; once more from the start.")
		}
		if p.Resumed && last.Phase == "" {
			fmt.Fprintf(o.out, "Going on with generation %d.\n", p.Generation)
		}
		fmt.Fprintf(o.out, "Generation %d: %s\n", p.Generation, titles[p.Phase])
	}
	if !p.Until.IsZero() && p.Until != last.Until {
		fmt.Fprintf(o.out, "  waiting until %s, when every function knows, and every change from before is in the source\n", p.Until.Format(time.TimeOnly))
	}
	if !o.terminal || p.Items == last.Items || p.Phase == "" {
		return
	}
	if o.bar == nil {
		total := p.Total
		if total < p.Items {
			total = -1 // DynamoDB counts a table's items every six hours
		}
		o.bar = verb.NewBar(o.out, "items", total)
	}
	o.bar.Set(p.Items)
}

// end ends a phase.
func (o *progressOutput) end() {
	o.bar.Finish()
	o.bar = nil
}
