package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"sluice/cli/verb"
	"sluice/deploy/deployed"
)

// showDeployed tells of the consumers of stacks on AWS.
func (c *statusCommand) showDeployed(ctx context.Context, out io.Writer) error {
	cfg, err := verb.DeployedConfig(ctx, c.Region)
	if err != nil {
		return err
	}
	status, err := deployed.Read(ctx, cfg, c.Stack, time.Now())
	if err != nil {
		return err
	}
	if c.JSON {
		return verb.PrintJSON(status)
	}
	return printDeployed(out, status, c.Region)
}

// printDeployed shows the consumers of stacks on AWS. region is what --region was, for the commands that it names.
func printDeployed(out io.Writer, s deployed.Status, region string) error {
	fmt.Fprintf(out, "On AWS in %s. DONE, RATE, INVOCATIONS and FAILED are of %s to %s.\n\n", s.Region, s.From.Local().Format("15:04"), s.To.Local().Format("15:04"))
	var rows []consumerRow
	notes := slices.Clone(s.Notes)
	for _, c := range s.Consumers {
		row := consumerRow{
			name: c.Name, region: s.Region, state: c.State, done: numberText(c.Done), rate: "-", onTheirWay: "-",
			invocations: numberText(c.Invocations), failed: numberText(c.Failed), letters: numberText(c.DeadLetters), behind: "-", lag: "-",
		}
		if c.Rate != nil {
			row.rate = rateText(*c.Rate)
		}
		if c.MillisBehind != nil {
			row.behind = (time.Duration(*c.MillisBehind) * time.Millisecond).String()
		}
		if c.Lag != nil {
			// Of a minute that isn't over yet, nothing is ago.
			row.lag = lagText(c.Lag.Median, c.Lag.Longest, max(0, s.At.Sub(c.Lag.At.Add(time.Minute))))
		}
		rows = append(rows, row)
		if c.DeadLetters != nil && *c.DeadLetters > 0 {
			command := []string{"sluice redrive", c.Name, "--list --stack", c.Stack}
			if region != "" {
				command = append(command, "--region", region)
			}
			notes = append(notes, fmt.Sprintf("%s: dead letters wait: %q shows why.", c.Name, strings.Join(command, " ")))
		}
	}
	if err := printConsumers(out, rows); err != nil {
		return err
	}
	if len(s.Sources) > 0 {
		var sources []string
		for _, source := range s.Sources {
			sources = append(sources, fmt.Sprintf("%s %s", source.Table, source.State))
		}
		fmt.Fprintf(out, "\nSources, with the state of their Kinesis destinations: %s.\n", strings.Join(sources, ", "))
	}
	printNotes(out, append(notes, "ON THEIR WAY is known of the local stack only."))
	return nil
}

// numberText is a number, or a dash if it isn't known.
func numberText(n *int) string {
	if n == nil {
		return "-"
	}
	return strconv.Itoa(*n)
}
