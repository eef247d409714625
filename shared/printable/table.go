package printable

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

const (
	// CellWidth is how many columns of a terminal a cell of a Table takes at most, unless its MaxWidth says otherwise.
	CellWidth = 80
	// Whole is a MaxWidth for cells that are shown whole, such as paths.
	Whole = 4096
	gap   = "  " // between two cells
)

// Table prints rows of cells in straight columns. It is empty after Flush, and may be used again.
type Table struct {
	// Right aligns all columns to the right, RightColumns some of them, by their numbers.
	Right        bool
	RightColumns []int
	// MaxWidth is what a cell is cut to; 0 means CellWidth.
	MaxWidth int
	rows     [][]string
}

// Row adds a row. Each cell is printed as fmt.Sprint does, made safe with [Text], and cut.
func (t *Table) Row(cells ...any) {
	row := make([]string, len(cells))
	for i, cell := range cells {
		row[i] = Cut(fmt.Sprint(cell), cmp.Or(t.MaxWidth, CellWidth))
	}
	t.rows = append(t.rows, row)
}

// Flush prints the rows in one write.
func (t *Table) Flush(out io.Writer) error {
	var widths []int
	for _, row := range t.rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], Width(cell))
		}
	}
	var text strings.Builder
	for _, row := range t.rows {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-Width(cell))
			switch {
			case t.Right:
				line.WriteString(gap + pad + cell)
			case slices.Contains(t.RightColumns, i):
				line.WriteString(pad + cell + gap)
			default:
				line.WriteString(cell + pad + gap)
			}
		}
		text.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	t.rows = nil
	_, err := io.WriteString(out, text.String())
	return err
}
