package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"sluice/deploy/local/stack"
	"sluice/shared/printable"
	"sluice/shared/redrive"
)

// printLocal shows how the local stack is doing, in one region or, if that is empty, in all.
func printLocal(ctx context.Context, out io.Writer, info stack.Info, only string) error {
	if info.State != stack.Ready {
		fmt.Fprintf(out, "The local stack is %s.\n", info.State)
		if info.State == stack.Stopped {
			fmt.Fprintln(out, "Start it with \"sluice up\", or name a deployed one with --stack.")
		}
		return nil
	}
	h := info.Health
	if h == nil {
		h = &stack.Health{}
	}
	if h.Stale {
		fmt.Fprintf(out, "The local stack was ready at %s. Its process %d has not written its state for %v, so what it does now is unknown.\n"+
			"Either the disk of %s is full, or the process stands still. Its log is %s.\n\n",
			info.Updated.Format(time.TimeOnly), info.PID, h.Age.Round(time.Second), info.RunDir, info.Logs["stack"])
	} else {
		fmt.Fprintf(out, "The local stack is ready, up for %v.\n\n", time.Since(info.Started).Round(time.Second))
	}
	l := localStatus{info: info, health: h}
	servers := printable.Table{MaxWidth: printable.Whole}
	servers.Row("SERVER", "STATE", "ENDPOINT", "PID", "LOG")
	for _, p := range info.Processes {
		servers.Row(p.Name, l.server(p), p.Endpoint, p.PID, p.Log)
	}
	servers.Row()
	var changes printable.Table
	changes.Row("TABLE", "REGION", "CHANGES", "ON THEIR WAY", "IN THE STREAM")
	for _, region := range info.Regions() {
		if only != "" && region != only {
			continue
		}
		p := info.In(region)
		if p.Bridge != nil {
			for _, name := range slices.Sorted(maps.Keys(p.Bridge.Tables)) {
				changes.Row(l.table(name, region, p.Bridge.Tables[name])...)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(p.Mappings)) {
			l.consumer(ctx, name, region, p)
		}
	}
	changes.Row()
	if err := errors.Join(servers.Flush(out), changes.Flush(out), printConsumers(out, l.consumers)); err != nil {
		return err
	}
	if l.letters > 0 {
		l.note(`Dead letters wait: "sluice redrive CONSUMER --list" shows why.`)
	}
	printNotes(out, l.notes)
	return nil
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
		return unknown, 0 // the server is on its way up or down; its log says more
	}
	return strconv.Itoa(visible + hidden), visible + hidden
}
