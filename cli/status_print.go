package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"sluice/shared/printable"
)

// consumerRow is what the status tells of a consumer, local or on AWS.
type consumerRow struct {
	name, region, state          string
	done, rate, onTheirWay       string
	invocations, failed, letters string
	behind, lag                  string
}

func printConsumers(out io.Writer, rows []consumerRow) error {
	var table printable.Table
	table.Row("CONSUMER", "REGION", "STATE", "DONE", "RATE", "ON THEIR WAY", "INVOCATIONS", "FAILED", "DEAD LETTERS", "BEHIND", "LAG")
	for _, r := range rows {
		table.Row(r.name, r.region, r.state, r.done, r.rate, r.onTheirWay, r.invocations, r.failed, r.letters, r.behind, r.lag)
	}
	return table.Flush(out)
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
