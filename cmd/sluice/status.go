package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"text/tabwriter"
	"time"

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
		out := json.NewEncoder(os.Stdout)
		out.SetIndent("", "  ")
		return errors.Join(out.Encode(info), err)
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
	if info.Bridge != nil {
		fmt.Fprintln(changes, "FROM THE TABLES\tREAD\tIN THE STREAM\tON THEIR WAY")
		fmt.Fprintf(changes, "changes\t%d\t%d\t%d\n\n", info.Bridge.Read, info.Bridge.Written, info.Bridge.Pending)
	}
	fmt.Fprintln(changes, "CONSUMER\tDONE\tON THEIR WAY\tINVOCATIONS\tFAILED\tBEHIND")
	for _, name := range slices.Sorted(maps.Keys(info.Mappings)) {
		m := info.Mappings[name]
		behind := (time.Duration(m.MillisBehind) * time.Millisecond).String()
		if m.MillisBehind < 0 {
			behind = "starting"
		}
		fmt.Fprintf(changes, "%s\t%d\t%d\t%d\t%d\t%s\n", name, m.Done, m.Read-m.Done, m.Invocations, m.Failed, behind)
	}
	return errors.Join(servers.Flush(), changes.Flush())
}
