package cli

import (
	"fmt"

	"sluice/cli/verb"
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
