package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"sluice/cli/verb"
	"sluice/shared/operate"
	"sluice/shared/redrive"
)

type redriveCommand struct {
	verb.PipelineFlags
	Consumer  string `arg:"" help:"The consumer, such as leaderboard. Only it gets the changes."`
	Region    string `help:"A further region of the local stack in which the consumer runs; with --stack the region of that stack, if it isn't that of the AWS CLI." placeholder:"REGION"`
	List      bool   `help:"Show what is in the queue, by reason; nothing is sent or taken out."`
	JSON      bool   `help:"With --list, print it as JSON."`
	Sequence  string `help:"Send only the dead letter at this sequence number, or the range that begins there." placeholder:"N"`
	Reason    string `help:"Send only dead letters with this reason, as --list shows it." placeholder:"REASON"`
	KeepGoing bool   `help:"Go on even if many fail in a row."`
	verb.ConsentFlags
}

// Help is what kong prints below the verb's own line.
func (c *redriveCommand) Help() string {
	return `Sends the changes in a consumer's dead-letter queue to its function again. First set right what made them fail.
A dead letter is taken out of the queue when the function has said that it is done, or has kept it as a new one; what fails
again stays. It may be stopped and repeated at any time: what was done before is a duplicate then.

Of a range that Lambda gave up, the queue has only the place; its changes are read from the stream, as long as it keeps them.`
}

func (c *redriveCommand) Validate() error {
	var faults []error
	if c.List && (c.Sequence != "" || c.Reason != "" || c.KeepGoing) {
		faults = append(faults, errors.New("--list shows all there is; --sequence, --reason and --keep-going are for sending"))
	}
	if c.JSON && !c.List {
		faults = append(faults, errors.New("--json is for --list"))
	}
	return errors.Join(faults...)
}

// Run lists or sends.
func (c *redriveCommand) Run(ctx context.Context) error {
	r, closeFunction, err := c.find(ctx)
	if err != nil {
		return err
	}
	defer closeFunction()
	if c.List {
		return c.list(ctx, r)
	}
	r.Sequence, r.Reason, r.KeepGoing = c.Sequence, c.Reason, c.KeepGoing
	visible, _, err := redrive.Waiting(ctx, r.SQS, r.URL)
	if err != nil {
		return err
	}
	if visible > 0 || c.DryRun {
		if ok, err := c.agreed(ctx, r, visible); err != nil || !ok {
			return err
		}
	}
	shown := newRedriveOutput(visible)
	r.Failed, r.Progress = shown.fail, shown.progress
	if !verb.Stdout.Terminal() {
		r.Looked = shown.looked
	}
	result, err := r.Run(ctx)
	shown.bar.Finish()
	return errors.Join(c.report(verb.Stdout, result, err), c.remaining(context.WithoutCancel(ctx), r))
}

// agreed plans and asks.
func (c *redriveCommand) agreed(ctx context.Context, r *redrive.Redrive, visible int) (bool, error) {
	where, err := c.PlaceIn(ctx, c.Region)
	if err != nil {
		return false, err
	}
	step := operate.Step{Into: "function of " + c.Consumer, From: "queue " + r.URL, Write: visible, About: true}
	step.Act = "dead letters are sent to it again; what it is done with leaves the queue"
	return c.Consent(operate.Removal{}, false).To(ctx, operate.Plan{Verb: "sluice redrive " + c.Consumer, Where: where, Steps: []operate.Step{step}})
}

func (c *redriveCommand) find(ctx context.Context) (*redrive.Redrive, func(), error) {
	if c.Stack != "" {
		r, err := redriveDeployed(ctx, c.Stack, c.Region, c.Consumer)
		return r, func() {}, err
	}
	info, err := c.Load(ctx)
	if err != nil {
		return nil, nil, err
	}
	return redriveLocal(info, c.Consumer, c.Region)
}

// listing is the command that shows the same queue.
func (c *redriveCommand) listing() string {
	command := "sluice redrive " + c.Consumer + " --list"
	if c.Region != "" {
		command += " --region " + c.Region
	}
	if c.Stack != "" {
		command += " --stack " + c.Stack
	}
	return command
}

// remaining says what the queue holds now.
func (c *redriveCommand) remaining(ctx context.Context, r *redrive.Redrive) error {
	visible, hidden, err := redrive.Waiting(ctx, r.SQS, r.URL)
	if err != nil {
		return err
	}
	if visible == 0 && hidden == 0 {
		verb.SayLine("The queue is empty.")
		return nil
	}
	verb.Say("In the queue: %d; \"%s\" shows why.\n", visible+hidden, c.listing())
	tellHidden(verb.Stdout, hidden, visible+hidden)
	return nil
}

// tellHidden says why messages may be hidden. About how many messages the queue has decides for how long.
func tellHidden(out io.Writer, hidden, inAll int) {
	if hidden > 0 {
		fmt.Fprintf(out, "%d of them are hidden: another redrive has them, or one that was killed; then they are back within about %v.\n", hidden, redrive.HiddenFor(inAll))
	}
}

// report tells what was done, and returns an error unless all that was chosen is done.
func (c *redriveCommand) report(out io.Writer, r redrive.Result, err error) error {
	n := r.Counts
	fmt.Fprintf(out, "%s sent to %s: %d applied, %d there already, %d stale, %d skipped, %d refused again, %d to come again. Taken out of the queue: %s.\n",
		operate.Count(r.Sent, "change"), c.Consumer, n.Applied, n.Duplicate, n.Stale, n.Skipped, n.Rejected, n.Retried, operate.Count(r.Removed, "dead letter"))
	if r.Untold > 0 {
		fmt.Fprintf(out, "Of %d the end of the function's log doesn't tell what became of them; its metrics do.\n", r.Untold)
	}
	if n.Rejected > 0 {
		fmt.Fprintf(out, "The last that was refused: %s\n", indent(r.LastRejected))
	}
	if r.Left > 0 {
		fmt.Fprintf(out, "Left as they are, not chosen or kept by this very run: %d.\n", r.Left)
	}
	if r.Twins > 0 {
		fmt.Fprintf(out, "Second messages of changes of which one stays, taken out: %d.\n", r.Twins)
	}
	if r.Unseen > 0 {
		fmt.Fprintf(out, "Not looked at: about %s; looked at: %d.\n", operate.Count(r.Unseen, "dead letter"), r.Seen)
	}
	chosen := c.Sequence != "" || c.Reason != ""
	switch {
	case errors.Is(err, context.Canceled):
		return operate.GoOn(err, "Nothing is lost. The same command goes on with what is left.")
	case err != nil:
		return err
	case r.Failed > 0:
		return fmt.Errorf("%s in the queue still; set right what the errors say, then run the same again", operate.Count(r.Failed, "dead letter"))
	case n.Rejected > 0:
		return fmt.Errorf("refused again, and in the queue anew, whole: %s", operate.Count(n.Rejected, "change"))
	case r.Sent == 0 && chosen && r.Removed == 0:
		if r.Unseen > 0 {
			return fmt.Errorf("none of the %d dead letters that were looked at is as asked for, but about %d more are hidden: another redrive has them, or one that was killed. "+
				"Run the same again later", r.Seen, r.Unseen)
		}
		return fmt.Errorf("no dead letter is as asked for; \"%s\" shows those that are there", c.listing())
	}
	return nil
}

// list shows the queue. What was seen is shown also if the walk through the queue ended early; then it is an error.
func (c *redriveCommand) list(ctx context.Context, r *redrive.Redrive) error {
	groups := redrive.Groups{}
	if !c.JSON {
		r.Looked = (&redriveOutput{out: verb.Stdout, last: time.Now()}).looked
	}
	seen, err := r.Letters(ctx, groups.Add)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = errors.New("interrupted before the end")
	}
	if err != nil {
		err = fmt.Errorf("%w\nlooked at %d of about %s", err, seen.Seen, operate.Count(seen.Seen+seen.Unseen, "dead letter"))
	}
	if c.JSON {
		if err == nil && seen.Unseen > 0 {
			err = fmt.Errorf("about %s are hidden, so this list lacks them", operate.Count(seen.Unseen, "dead letter"))
		}
		return errors.Join(verb.PrintJSON(groups.Sorted()), err)
	}
	printGroups(verb.Stdout, groups.Sorted(), time.Now())
	switch {
	case err != nil:
	case seen.Seen == 0 && seen.Unseen == 0:
		verb.Say("%s has no dead letters.\n", c.Consumer)
	case seen.Unseen > 0:
		verb.Say("\nLooked at %s. About %d more are hidden: another redrive has them, or one that was killed; then they are back within about %v.\n",
			operate.Count(seen.Seen, "dead letter"), seen.Unseen, redrive.HiddenFor(seen.Seen+seen.Unseen))
	}
	return err
}
