package operate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"sluice/shared/printable"
)

const (
	keyWidth = 160 // columns for a key: several attributes with names as wide as they may be
	maxNotes = 20  // texts that are printed whole below a table
)

// Print prints the reports for people.
func (v *Verified) Print(out io.Writer) error {
	for _, r := range v.Reports {
		if err := r.print(out, !slices.Contains(v.unfinished, r.Name)); err != nil {
			return err
		}
	}
	return nil
}

// print prints a report in one write; whole says whether the comparison came to its end.
func (r Report) print(out io.Writer, whole bool) error {
	var text bytes.Buffer
	for _, why := range r.NotCompared {
		fmt.Fprintf(&text, "Not compared: %s\n", why)
	}
	for _, note := range r.Notes {
		fmt.Fprintln(&text, note)
	}
	switch n := len(r.Differences); {
	case n > 0:
		fmt.Fprintf(&text, "%s of %s compared with %s: %s.\n", Count(r.Items, "item"), r.Source, r.Destination, differ(n, false))
	case !whole:
	case r.Equal != "" && len(r.Unjudged) == 0:
		fmt.Fprintln(&text, r.Equal)
	case len(r.Unjudged) > 0:
		fmt.Fprintf(&text, "%s of %s compared with %s: every other is the same.\n", Count(r.Items, "item"), r.Source, r.Destination)
	default:
		fmt.Fprintf(&text, "%s of %s: each the same in %s.\n", Count(r.Items, "item"), r.Source, r.Destination)
	}
	err := printDifferences(&text, r.Differences)
	if r.Arrived > 0 {
		fmt.Fprintf(&text, "%s differed at first and no longer: the changes were in flight.\n", Count(r.Arrived, "item"))
	}
	if n := len(r.Unjudged); n > 0 {
		fmt.Fprintf(&text, "%s not judged: different at every look, but changed all the time. Compare again when fewer changes are made, or with a longer --wait:\n", Count(n, "item"))
		err = errors.Join(err, printDifferences(&text, r.Unjudged))
	}
	PrintUnusable(&text, "a source", r.UnusableCount, r.Unusable)
	_, failed := out.Write(text.Bytes())
	return errors.Join(err, failed)
}

// PrintUnusable prints how many items can't be used, and those of them that are named. of says what they are items of.
func PrintUnusable(out io.Writer, of string, all int, named []Unusable) {
	if all == 0 {
		return
	}
	_, _ = fmt.Fprintf(out, "%s can't be used. Those of %s count for nothing, and their changes are dead letters:\n", Count(all, "item"), of)
	for _, i := range named {
		where := ""
		if i.Table != "" {
			where = i.Table + ": "
		}
		_, _ = fmt.Fprintf(out, "  %s%s: %s\n", where, printable.Cut(i.Key, keyWidth), printable.Text(i.Reason))
	}
	if more := all - len(named); more > 0 {
		_, _ = fmt.Fprintf(out, "  and %d more\n", more)
	}
}

// printDifferences prints a table with a row for each value that differs. Columns that no row needs are left out.
func printDifferences(out io.Writer, differences []Difference) error {
	if len(differences) == 0 {
		return nil
	}
	values := slices.ContainsFunc(differences, func(d Difference) bool { return len(d.Values) > 0 })
	repairs := slices.ContainsFunc(differences, func(d Difference) bool { return d.Repair+d.Refused != "" })
	var w printable.Table
	var below notes
	row := func(item, what string, v Value, repair string) {
		cells := []any{item, what}
		if values {
			cells = append(cells, v.Path, v.Source, v.Destination)
		}
		if repairs {
			cells = append(cells, repair)
		}
		w.Row(cells...)
	}
	row("item", "what", Value{"attribute", "source", "destination"}, "repair")
	for _, d := range differences {
		repair := below.cell(d.Key, d.repairText())
		first := Value{}
		if len(d.Values) > 0 {
			first = d.Values[0]
		}
		row(d.Key, d.What, first, repair)
		for _, v := range d.Values[min(1, len(d.Values)):] {
			row("", "", v, "")
		}
	}
	if err := w.Flush(out); err != nil {
		return err
	}
	return below.print(out)
}

// repairText says what became of a repair, or why none can be made.
func (d Difference) repairText() string {
	switch {
	case d.Refused == "":
		return d.Repair
	case d.Repair == "" || d.Repair == d.Refused:
		return "refused: " + d.Refused
	}
	return d.Repair + "; refused: " + d.Refused
}

// notes are texts that a table's cells have no room for. They are printed whole below it.
type notes struct {
	lines []string
	all   int
}

// cell returns what the table shows for a text about an item.
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

func (n *notes) print(out io.Writer) error {
	text := strings.Join(append(n.lines, ""), "\n")
	if more := n.all - len(n.lines); more > 0 {
		text += fmt.Sprintf("… and %d more; --json has all of them whole.\n", more)
	}
	_, err := io.WriteString(out, text)
	return err
}

// Summarize prints one row for each comparison of several consumers.
func Summarize(out io.Writer, all []*Verified) error {
	var w printable.Table
	w.Row("CONSUMER", "DESTINATION", "ITEMS", "DIFFER", "NOT JUDGED", "RESULT")
	for _, v := range all {
		for _, r := range v.Reports {
			result := "equal"
			switch {
			case slices.Contains(v.unfinished, r.Name):
				result = "not compared to its end"
			case len(r.Differences) > 0:
				result = "differs"
			case len(r.Unjudged) > 0:
				result = "changes in flight"
			}
			w.Row(v.Consumer, r.Destination, r.Items, len(r.Differences), len(r.Unjudged), result)
		}
		if len(v.Reports) == 0 {
			why := "it has no destination"
			if len(v.Faults) > 0 {
				why, _, _ = strings.Cut(v.Faults[0], "\n")
			}
			w.Row(v.Consumer, "-", "-", "-", "-", "not compared: "+why)
		}
	}
	return w.Flush(out)
}
