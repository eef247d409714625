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
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SERVER\tENDPOINT\tPID\tLOG")
	for _, p := range info.Processes {
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\n", p.Name, p.Endpoint, p.PID, p.Log)
	}
	if info.Bridge != nil {
		fmt.Fprintln(w, "\t\t\t\nBRIDGE\tCHANGES READ\tRECORDS WRITTEN\tON THEIR WAY")
		fmt.Fprintf(w, "table → stream\t%d\t%d\t%d\n", info.Bridge.Read, info.Bridge.Written, info.Bridge.Pending)
	}
	fmt.Fprintln(w, "\t\t\t\nCONSUMER\tRECORDS DONE\tON THEIR WAY\tINVOCATIONS\tFAILED\tBEHIND")
	for _, name := range slices.Sorted(maps.Keys(info.Mappings)) {
		m := info.Mappings[name]
		behind := time.Duration(m.MillisBehind) * time.Millisecond
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%v\n", name, m.Done, m.Read-m.Done, m.Invocations, m.Failed, behind)
	}
	return w.Flush()
}
