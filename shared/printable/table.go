package printable

import (
	"fmt"
	"io"
	"strings"
)

const (
	// CellWidth is how many columns of a terminal a cell of a Table takes at most, unless its MaxWidth says otherwise.
	CellWidth = 80
	between   = 2 // columns between two cells
)

// Table prints rows of cells in straight columns. It is empty after Flush, and may be used again.
type Table struct {
	// Right aligns all columns to the right.
	Right bool
	// MaxWidth is what a cell is cut to; 0 means CellWidth.
	MaxWidth int
	rows     [][]string
}

// Row adds a row. Each cell is printed as fmt.Sprint does, made safe with [Text], and cut.
func (t *Table) Row(cells ...any) {
	width := t.MaxWidth
	if width == 0 {
		width = CellWidth
	}
	row := make([]string, len(cells))
	for i, cell := range cells {
		row[i] = Cut(fmt.Sprint(cell), width)
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
			widths[i] = max(widths[i], Width(cell)+between)
		}
	}
	var text strings.Builder
	for _, row := range t.rows {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-Width(cell))
			if t.Right {
				cell, pad = pad, cell
			}
			line.WriteString(cell + pad)
		}
		text.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	t.rows = nil
	_, err := io.WriteString(out, text.String())
	return err
}
