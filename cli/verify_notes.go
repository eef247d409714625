package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	smithytime "github.com/aws/smithy-go/time"

	"sluice/cli/verb"
	"sluice/shared/operate"
	"sluice/shared/printable"
)

// maxNotes is how many texts are printed whole below a table.
const maxNotes = 20

// notes are texts that a table's cells have no room for. They are printed whole below it.
type notes struct {
	lines []string
	all   int
}

// cell returns what stands in the table for a text about something, such as a document.
func (n *notes) cell(about, text string) string {
	if printable.Width(printable.Text(text)) <= printable.CellWidth {
		return text
	}
	if n.all++; n.all > maxNotes {
		return text
	}
	n.lines = append(n.lines, fmt.Sprintf("(%d) %s: %s", n.all, printable.Cut(about, printable.CellWidth), printable.Text(text)))
	return fmt.Sprintf("(%d) see below", n.all)
}

// say prints the texts.
func (n *notes) say() {
	for _, line := range n.lines {
		verb.SayLine(line)
	}
	if more := n.all - len(n.lines); more > 0 {
		verb.Say("… and %d more; --json has all of them whole.\n", more)
	}
}

// What follows serves the verbs of consumers that don't use package operate's comparison yet.

// keyWidth is how many columns of a terminal an item's key takes: several attributes with names as wide as they may be.
const keyWidth = 160

// lookAgain is the pause between two looks.
const lookAgain = 500 * time.Millisecond

// notYetError is of a look that couldn't compare, though a later one may.
type notYetError struct{ error }

// lookUntil looks until nothing differs or the wait is over; the last look is told that it
// is: that is the one to repair.
func lookUntil[V any](ctx context.Context, wait time.Duration, look func(last bool) (v V, differs bool, err error)) (V, error) {
	operate.Within(ctx, wait)
	deadline := time.Now().Add(wait)
	for first := true; ; first = false {
		last := !time.Now().Before(deadline)
		v, differs, err := look(last)
		notYet, isNotYet := errors.AsType[notYetError](err)
		if err != nil && !isNotYet || last || !differs {
			return v, err
		}
		switch {
		case first && isNotYet:
			fmt.Fprintf(os.Stderr, "Nothing is compared yet: %v. Looking again, at most until %s (--wait).\n", notYet.error, deadline.Format(time.TimeOnly))
		case first:
			fmt.Fprintf(os.Stderr, "Something differs; its changes may be on their way. Looking again until nothing differs, at most until %s (--wait).\n", deadline.Format(time.TimeOnly))
		}
		if err := smithytime.SleepWithContext(ctx, lookAgain); err != nil {
			return v, err
		}
	}
}
