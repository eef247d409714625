package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// consumerRow is what the status tells of a consumer, local or on AWS.
type consumerRow struct {
	name, region, state          string
	done, rate, onTheirWay       string
	invocations, failed, letters string
	behind, lag                  string
}

func printConsumers(out io.Writer, rows []consumerRow) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "CONSUMER\tREGION\tSTATE\tDONE\tRATE\tON THEIR WAY\tINVOCATIONS\tFAILED\tDEAD LETTERS\tBEHIND\tLAG")
	for _, r := range rows {
		fmt.Fprintln(table, strings.Join([]string{
			r.name, r.region, r.state, r.done, r.rate, r.onTheirWay, r.invocations, r.failed, r.letters, r.behind, r.lag,
		}, "\t"))
	}
	return table.Flush()
}

// printNotes says what the table can't.
func printNotes(out io.Writer, notes []string) {
	if len(notes) > 0 {
		fmt.Fprintf(out, "\n%s\n", strings.Join(notes, "\n"))
	}
}

// rateText doesn't show as 0 what is a little more.
func rateText(perSecond float64) string {
	if perSecond > 0 && perSecond < 0.05 {
		return "<0.1/s"
	}
	return fmt.Sprintf("%.1f/s", perSecond)
}

// lagText tells how many milliseconds changes took, and how long ago.
func lagText(median, longest float64, ago time.Duration) string {
	return fmt.Sprintf("%.1f s, at most %.1f s, %v ago", median/1e3, longest/1e3, ago.Round(time.Second))
}
