package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"sluice/deploy/local/mapping"
	"sluice/deploy/local/stack"
)

type statusCommand struct {
	localFlags
	JSON bool `help:"Print all there is to know as JSON."`
}

func (c *statusCommand) Run(ctx context.Context) error {
	info, err := c.load(ctx)
	if _, failed := errors.AsType[*stack.FailedError](err); err != nil && !failed {
		return err
	}
	if c.JSON {
		return errors.Join(printJSON(info), err)
	}
	return errors.Join(printStatus(os.Stdout, info), err)
}

func printStatus(out io.Writer, info stack.Info) error {
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
	fmt.Fprintln(changes, "CONSUMER\tREGION\tDONE\tON THEIR WAY\tINVOCATIONS\tFAILED\tBEHIND\tLAG")
	for _, region := range info.Regions() {
		p := info.In(region)
		for _, name := range slices.Sorted(maps.Keys(p.Mappings)) {
			m := p.Mappings[name]
			fmt.Fprintf(changes, "%s\t%s\t%d\t%d\t%d\t%d\t%s\t%s\n", name, region, m.Done, m.Read-m.Done, m.Invocations, m.Failed, behind(m), lag(p.Lags, name, info.Updated))
		}
	}
	return errors.Join(servers.Flush(), changes.Flush())
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
