package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"sluice/cli/verb"
	"sluice/deploy/local/stack"
	"sluice/shared/printable"
)

type statusCommand struct {
	verb.LocalFlags
	Stack  []string `help:"Tell of the consumers of these CloudFormation stacks on AWS, and of those nested in them, instead of the local stack." placeholder:"NAME"`
	Region string   `help:"Only this region of the local stack; with --stack the region of those stacks, if it isn't that of the AWS CLI." placeholder:"REGION"`
	JSON   bool     `help:"Print all there is to know as JSON."`
	Watch  bool     `help:"Show it anew every second, with --stack every 30 seconds, until Ctrl-C."`
}

// Help is what kong prints below the verb's own line.
func (c *statusCommand) Help() string {
	return `STATE is that of the event source mapping: Retrying if what failed comes again. DONE counts changes that need no more work,
RATE is how many a second. BEHIND is the age of the oldest change that waits: it grows when a consumer stands still. LAG is how
long changes took from their making to their effect.

On the local stack the counts are since it started, RATE is of the last 10 seconds, LAG of the last batch.

With --stack the counts and RATE are of the last five whole minutes, BEHIND (there the age of a batch's last change when Lambda
read it) and LAG of the latest minute that had any, as CloudWatch has them: it learns of a minute up to a minute or two later.
There a change that is delivered twice is done twice, and
two stacks of one consumer in a region share DONE, RATE and LAG. Each look asks CloudWatch for up to seven metrics a consumer
and one a stream, at $0.01 for 1,000.`
}

func (c *statusCommand) Validate() error {
	if c.JSON && c.Watch {
		return errors.New("--watch is for people, --json for programs; a program can run status --json again")
	}
	return nil
}

// Run shows the status, once or until it is interrupted.
func (c *statusCommand) Run(ctx context.Context) error {
	show, interval := c.showLocal, watchInterval
	if len(c.Stack) > 0 {
		show, interval = c.showDeployed, deployedInterval
	}
	if c.Watch {
		return watchStatus(ctx, verb.Stdout.Raw(), verb.Stdout.Terminal(), interval, show)
	}
	return show(ctx, verb.Stdout)
}

// showLocal tells of the local stack. Its error is a *stack.FailedError if the stack has failed, whose text tells of it.
func (c *statusCommand) showLocal(ctx context.Context, out io.Writer) error {
	info, err := c.Load(ctx)
	if _, failed := errors.AsType[*stack.FailedError](err); err != nil && !failed {
		return err
	}
	if err == nil && info.State == stack.Ready {
		health := info.Ask(ctx)
		info.Health = &health
	}
	if c.JSON {
		return errors.Join(verb.PrintJSON(info), err)
	}
	if c.Region != "" && info.State == stack.Ready && !slices.Contains(info.Regions(), c.Region) {
		return errNoRegion(info, c.Region)
	}
	return errors.Join(printLocal(ctx, out, info, c.Region), err)
}

// How often the status is shown anew. What CloudWatch has changes once a minute, and costs.
const (
	watchInterval    = time.Second
	deployedInterval = 30 * time.Second
)

// watchStatus shows the status until ctx ends: in place on a terminal, elsewhere one below the other. What fails the first time ends
// it, unless it is the stack that it tells of; what fails later is shown in the place of the status, and may be well the next time.
func watchStatus(ctx context.Context, out io.Writer, terminal bool, interval time.Duration, show func(context.Context, io.Writer) error) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for first := true; ; first = false {
		var shown bytes.Buffer
		err := show(ctx, &shown)
		if ctx.Err() != nil {
			return nil // and what it cut short isn't shown
		}
		if _, failed := errors.AsType[*stack.FailedError](err); err != nil {
			if first && !failed {
				return err
			}
			shown.Reset()
			fmt.Fprintln(&shown, err)
		}
		fmt.Fprintf(&shown, "\n%s, every %v. Ctrl-C ends this.\n", time.Now().Format(time.TimeOnly), interval)
		if err := redraw(out, printable.Lines(shown.String()), terminal); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// redraw writes a text, on a terminal over the one before, in a single write and without clearing what stays the same: so
// nothing flickers.
func redraw(out io.Writer, text string, terminal bool) error {
	const home, endLine, below = "\x1b[H", "\x1b[K", "\x1b[J"
	if terminal {
		text = home + strings.ReplaceAll(text, "\n", endLine+"\n") + below
	} else {
		text += "\n"
	}
	_, err := io.WriteString(out, text)
	return err
}
