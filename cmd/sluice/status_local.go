package main

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

	"sluice/deploy/local/mapping"
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
	fmt.Fprintf(out, "The local stack is ready, up for %v.\n\n", time.Since(info.Started).Round(time.Second))
	servers := printable.Table{MaxWidth: 4096} // paths are shown whole
	servers.Row("SERVER", "ENDPOINT", "PID", "LOG")
	for _, p := range info.Processes {
		servers.Row(p.Name, p.Endpoint, p.PID, p.Log)
	}
	servers.Row()
	var changes printable.Table
	changes.Row("TABLE", "REGION", "CHANGES", "ON THEIR WAY", "IN THE STREAM")
	var consumers []consumerRow
	var notes []string
	waiting := 0
	for _, region := range info.Regions() {
		if only != "" && region != only {
			continue
		}
		p := info.In(region)
		if p.Bridge != nil {
			for _, name := range slices.Sorted(maps.Keys(p.Bridge.Tables)) {
				t := p.Bridge.Tables[name]
				changes.Row(name, region, t.Read, t.Pending, t.Written)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(p.Mappings)) {
			m := p.Mappings[name]
			letters, n := deadLetters(ctx, info, region, p.Outputs[name]["DeadLetterQueue"])
			waiting += n
			consumers = append(consumers, consumerRow{
				name: name, region: region, state: string(m.State), done: strconv.FormatInt(m.Done, 10), rate: rateText(m.Rate),
				onTheirWay: strconv.FormatInt(m.Read-m.Done, 10), invocations: strconv.FormatInt(m.Invocations, 10),
				failed: strconv.FormatInt(m.Failed, 10), letters: letters, behind: behind(m), lag: localLag(p.Lags, name, info.Updated),
			})
			switch m.State {
			case mapping.Retrying:
				notes = append(notes, fmt.Sprintf("%s in %s: what failed comes again: %s", name, region, m.Problem))
			case mapping.Disabled:
				notes = append(notes, fmt.Sprintf("%s in %s: its mapping is disabled (Enabled in its template), so nothing is delivered to it", name, region))
			}
		}
	}
	changes.Row()
	if err := errors.Join(servers.Flush(out), changes.Flush(out), printConsumers(out, consumers)); err != nil {
		return err
	}
	if waiting > 0 {
		notes = append(notes, `Dead letters wait: "sluice redrive CONSUMER --list" shows why.`)
	}
	printNotes(out, notes)
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
		return "unknown", 0 // the server is on its way up or down; its log says more
	}
	return strconv.Itoa(visible + hidden), visible + hidden
}

// behind is the age of the oldest change in the stream that isn't done: it grows
// when a consumer stands still.
func behind(m mapping.Stats) string {
	if m.MillisBehind < 0 {
		return "-"
	}
	return (time.Duration(max(m.MillisBehind, m.MillisWaiting)) * time.Millisecond).String()
}

// localLag is how long the changes of the last batch took, from their making to their
// effect: for replication, until they were in the copy.
func localLag(lags map[string]stack.Lag, consumer string, now time.Time) string {
	l, ok := lags[consumer]
	if !ok {
		return "-"
	}
	return lagText(l.Median, l.Longest, now.Sub(l.At))
}
