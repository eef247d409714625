package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"sluice/cli/verb"
	"sluice/shared/operate"
	"sluice/shared/printable"
	"sluice/shared/redrive"
)

func printGroups(out io.Writer, groups []redrive.Group, now time.Time) {
	for i, g := range groups {
		if i > 0 {
			fmt.Fprintln(out)
		}
		what := operate.Count(g.Letters, "dead letter")
		if g.Ranges {
			what = fmt.Sprintf("%s that Lambda gave up, of %s", operate.Count(g.Letters, "range"), operate.Count(g.Records, "change"))
		}
		fmt.Fprintf(out, "%s: %s, from %v to %v ago\n", printable.Name(g.Reason), what, age(g.Oldest, now), age(g.Newest, now))
		fmt.Fprintf(out, "  such as %s\n", printable.Cut(g.Example, exampleWidth))
		if len(g.Errors) < 2 {
			if g.Error != "" {
				fmt.Fprintf(out, "  %s\n", quoted(g.Error, 2))
			}
			continue
		}
		printErrors(out, g)
	}
}

// maxErrorsShown is how many different errors of one reason are listed.
const maxErrorsShown = 5

// printErrors lists the different errors of a group.
func printErrors(out io.Writer, g redrive.Group) {
	others, different := g.OtherErrors, len(g.Errors)
	for i, e := range g.Errors {
		if i >= maxErrorsShown {
			others += e.Letters
			continue
		}
		fmt.Fprintf(out, "  %d × %s\n", e.Letters, quoted(e.Error, 4))
		if e.Example != g.Example {
			fmt.Fprintf(out, "    such as %s\n", printable.Cut(e.Example, exampleWidth))
		}
	}
	if others > 0 {
		errors := operate.Count(max(different-maxErrorsShown, 1), "other error")
		if g.OtherErrors > 0 {
			errors += " or more"
		}
		fmt.Fprintf(out, "  %s with %s; --json lists them\n", operate.Count(others, "dead letter"), errors)
	}
}

const (
	// exampleWidth is how many columns of a terminal an example takes at most.
	exampleWidth = 200
	// errorWidth is the same for an error.
	errorWidth = 1000
)

// quoted makes an error printable that somebody else wrote, with its further lines indented.
func quoted(text string, by int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i, line := range lines {
		lines[i] = printable.Cut(line, errorWidth)
	}
	return strings.Join(lines, "\n"+strings.Repeat(" ", by))
}

func age(t, now time.Time) time.Duration {
	return max(now.Sub(t), 0).Round(time.Second)
}

// maxFailuresShown is how many of the dead letters that stay are shown one by one.
const maxFailuresShown = 20

// redriveOutput shows how far a run has come: a bar on a terminal, and what stays.
type redriveOutput struct {
	out   io.Writer
	bar   *verb.Bar // nil on no terminal
	last  time.Time // when a line was printed there
	shown int
}

// progressInterval is how often a line tells how far a run is where there is no terminal.
const progressInterval = 10 * time.Second

// newRedriveOutput expects about total changes: ranges may have more than one each.
func newRedriveOutput(total int) *redriveOutput {
	o := &redriveOutput{out: verb.Stdout, last: time.Now()}
	if verb.Stdout.Terminal() {
		o.bar = verb.NewBar(verb.Stdout.Raw(), "changes", max(total, 1))
	}
	return o
}

// progress shows how many changes were sent.
func (o *redriveOutput) progress(r redrive.Result) {
	if o.bar == nil {
		o.sometimes("%s sent so far\n", operate.Count(r.Sent, "change"))
		return
	}
	o.bar.Set(r.Sent)
}

// looked says on a long walk how far it is.
func (o *redriveOutput) looked(seen, about int) {
	o.sometimes("looked at %d of about %s\n", seen, operate.Count(about, "dead letter"))
}

// sometimes prints a line, but none soon after another.
func (o *redriveOutput) sometimes(format string, args ...any) {
	if time.Since(o.last) >= progressInterval {
		fmt.Fprintf(o.out, format, args...)
		o.last = time.Now()
	}
}

// fail shows a dead letter that stays, and why.
func (o *redriveOutput) fail(l *redrive.Letter, err error) {
	if o.shown++; o.shown > maxFailuresShown {
		if o.shown == maxFailuresShown+1 {
			fmt.Fprintln(o.out, "Further ones that stay are only counted.")
		}
		return
	}
	o.bar.Clear()
	fmt.Fprintf(o.out, "stays: %s: %s\n  %s\n", printable.Name(l.Reason()), printable.Cut(l.Example(), exampleWidth), quoted(err.Error(), 2))
}
