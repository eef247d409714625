package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"sluice/shared/redrive"
)

func printGroups(out io.Writer, consumer string, groups []redrive.Group, now time.Time) {
	if len(groups) == 0 {
		fmt.Fprintf(out, "%s has no dead letters.\n", consumer)
		return
	}
	for i, g := range groups {
		if i > 0 {
			fmt.Fprintln(out)
		}
		what := plural(g.Letters, "dead letter")
		if g.Ranges {
			what = fmt.Sprintf("%s that Lambda gave up, of %s", plural(g.Letters, "range"), plural(g.Records, "change"))
		}
		fmt.Fprintf(out, "%s: %s, from %v to %v ago\n", g.Reason, what, age(g.Oldest, now), age(g.Newest, now))
		fmt.Fprintf(out, "  such as %s\n", g.Example)
		if g.Error != "" {
			fmt.Fprintf(out, "  %s\n", strings.ReplaceAll(g.Error, "\n", "\n  "))
		}
	}
}

// plural counts for people.
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

func age(t, now time.Time) time.Duration {
	return max(now.Sub(t), 0).Round(time.Second)
}

// maxFailuresShown is how many of the letters that stay are told one by one.
const maxFailuresShown = 20

// redriveOutput shows how far a run has come: a bar on a terminal, and what stays.
type redriveOutput struct {
	out   io.Writer
	bar   *progressbar.ProgressBar // nil on no terminal
	last  time.Time                // when a line was printed there
	shown int
}

// progressInterval is how often a line tells how far a run is where there is no terminal.
const progressInterval = 10 * time.Second

// newRedriveOutput expects about total changes: ranges may have more than one each.
func newRedriveOutput(total int) *redriveOutput {
	o := &redriveOutput{out: stdout, last: time.Now()}
	if stdout.terminal() {
		o.bar = progressbar.NewOptions(max(total, 1), progressbar.OptionSetWriter(stdout.raw()), progressbar.OptionSetDescription("  changes"),
			progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
	}
	return o
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// progress shows how many changes were sent.
func (o *redriveOutput) progress(r redrive.Result) {
	if o.bar == nil {
		if time.Since(o.last) >= progressInterval {
			fmt.Fprintf(o.out, "%s sent so far\n", plural(r.Sent, "change"))
			o.last = time.Now()
		}
		return
	}
	if r.Sent > o.bar.GetMax() {
		o.bar.ChangeMax(r.Sent)
	}
	_ = o.bar.Set(r.Sent) // only the terminal could fail
}

// fail tells of a letter that stays, and why.
func (o *redriveOutput) fail(l *redrive.Letter, err error) {
	if o.shown++; o.shown > maxFailuresShown {
		if o.shown == maxFailuresShown+1 {
			fmt.Fprintln(o.out, "Further ones that stay are only counted.")
		}
		return
	}
	if o.bar != nil {
		_ = o.bar.Clear()
	}
	fmt.Fprintf(o.out, "stays: %s: %s\n  %s\n", l.Reason(), l.Example(), strings.ReplaceAll(err.Error(), "\n", "\n  "))
}

// end ends the bar.
func (o *redriveOutput) end() {
	if o.bar != nil {
		_ = o.bar.Finish()
	}
}
