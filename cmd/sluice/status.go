package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"sluice/deploy/local/mapping"
	"sluice/deploy/local/stack"
	"sluice/shared/redrive"
)

type statusCommand struct {
	localFlags
	JSON  bool `help:"Print all there is to know as JSON."`
	Watch bool `help:"Show it anew every second, until Ctrl-C."`
}

func (c *statusCommand) Validate() error {
	if c.JSON && c.Watch {
		return errors.New("--watch is for people, --json for programs; a program can run status --json again")
	}
	return nil
}

func (c *statusCommand) Run(ctx context.Context) error {
	if c.Watch {
		return c.watch(ctx, os.Stdout, isTerminal(os.Stdout))
	}
	info, err := c.load(ctx)
	if _, failed := errors.AsType[*stack.FailedError](err); err != nil && !failed {
		return err
	}
	if c.JSON {
		return errors.Join(printJSON(info), err)
	}
	return errors.Join(printStatus(ctx, os.Stdout, info), err)
}

// watchInterval is how often the status is shown anew.
const watchInterval = time.Second

// watch shows the status until ctx ends: in place on a terminal, elsewhere one below the other. A stack that stops or fails
// meanwhile is shown as that.
func (c *statusCommand) watch(ctx context.Context, out io.Writer, terminal bool) error {
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	for {
		var shown bytes.Buffer
		info, err := c.load(ctx)
		switch _, failed := errors.AsType[*stack.FailedError](err); {
		case ctx.Err() != nil:
			return nil
		case failed:
			fmt.Fprintln(&shown, err)
		case err != nil:
			return err
		default:
			if err := printStatus(ctx, &shown, info); err != nil {
				return err
			}
		}
		fmt.Fprintf(&shown, "\n%s. Ctrl-C ends this.\n", time.Now().Format(time.TimeOnly))
		if ctx.Err() != nil {
			return nil // and what it cut short isn't shown
		}
		if err := redraw(out, shown.String(), terminal); err != nil {
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

func printStatus(ctx context.Context, out io.Writer, info stack.Info) error {
	if info.State != stack.Ready {
		fmt.Fprintf(out, "The local stack is %s.\n", info.State)
		if info.State == stack.Stopped {
			fmt.Fprintln(out, "Start it with \"sluice up\".")
		}
		return nil
	}
	fmt.Fprintf(out, "The local stack is ready, up for %v.\n\n", time.Since(info.Started).Round(time.Second))
	servers := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(servers, "SERVER\tENDPOINT\tPID\tLOG")
	for _, p := range info.Processes {
		fmt.Fprintf(servers, "%s\t%s\t%d\t%s\n", p.Name, p.Endpoint, p.PID, p.Log)
	}
	fmt.Fprintln(servers)
	changes := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(changes, "TABLE\tREGION\tCHANGES\tON THEIR WAY\tIN THE STREAM")
	for _, region := range info.Regions() {
		p := info.In(region)
		if p.Bridge == nil {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(p.Bridge.Tables)) {
			t := p.Bridge.Tables[name]
			fmt.Fprintf(changes, "%s\t%s\t%d\t%d\t%d\n", name, region, t.Read, t.Pending, t.Written)
		}
	}
	fmt.Fprintln(changes)
	fmt.Fprintln(changes, "CONSUMER\tREGION\tDONE\tON THEIR WAY\tINVOCATIONS\tFAILED\tDEAD LETTERS\tBEHIND\tLAG")
	waiting := 0
	for _, region := range info.Regions() {
		p := info.In(region)
		for _, name := range slices.Sorted(maps.Keys(p.Mappings)) {
			m := p.Mappings[name]
			letters, n := deadLetters(ctx, info, region, p.Outputs[name]["DeadLetterQueue"])
			waiting += n
			fmt.Fprintf(changes, "%s\t%s\t%d\t%d\t%d\t%d\t%s\t%s\t%s\n", name, region, m.Done, m.Read-m.Done, m.Invocations, m.Failed, letters, behind(m), lag(p.Lags, name, info.Updated))
		}
	}
	err := errors.Join(servers.Flush(), changes.Flush())
	if waiting > 0 {
		fmt.Fprintln(out, "\nDead letters wait: \"sluice redrive CONSUMER --list\" shows why.")
	}
	return err
}

// deadLetters tells how many dead letters wait in a consumer's queue, those included that a redrive has in its hands.
func deadLetters(ctx context.Context, info stack.Info, region, queue string) (text string, n int) {
	if queue == "" {
		return "-", 0
	}
	ctx, cancel := context.WithTimeout(ctx, watchInterval)
	defer cancel()
	cfg := info.AWS()
	cfg.Region = region
	visible, hidden, err := redrive.Waiting(ctx, sqs.NewFromConfig(cfg), queue)
	if err != nil {
		return "unknown", 0 // the server is on its way up or down; its log says more
	}
	return strconv.Itoa(visible + hidden), visible + hidden
}

// behind is the age of the oldest change in the stream that isn't done: it grows
// when a consumer stands still.
func behind(m mapping.Stats) string {
	if m.MillisBehind < 0 {
		return "starting"
	}
	return (time.Duration(max(m.MillisBehind, m.MillisWaiting)) * time.Millisecond).String()
}

// lag is how long the changes of the last batch took, from their making to their
// effect: for replication, until they were in the copy.
func lag(lags map[string]stack.Lag, consumer string, now time.Time) string {
	l, ok := lags[consumer]
	if !ok {
		return "-"
	}
	return fmt.Sprintf("%.1f s, at most %.1f s, %v ago", l.Median/1e3, l.Longest/1e3, now.Sub(l.At).Round(time.Second))
}
