package ops

import (
	"context"
	"fmt"
	"io"
	"time"

	"sluice/cli/verb"
	"sluice/consumers/leaderboard/boards"
	"sluice/shared/declaration"
	"sluice/shared/printable"
)

type topCommand struct {
	verb.PipelineFlags
	View string    `arg:"" optional:"" help:"The board: a view with a shard, and a sum or count. Without it, the first one that is declared."`
	N    int       `short:"n" default:"3" help:"How many items."`
	At   time.Time `format:"2006-01-02" help:"For a view with a box: the day, week or month of this date instead of today's." placeholder:"DATE"`
}

func (c *topCommand) Run(ctx context.Context, pipeline declaration.Pipeline) error {
	if c.N < 1 {
		return fmt.Errorf("-n must be at least 1 (got %d)", c.N)
	}
	declared, err := registered{pipeline}.Views()
	if err != nil {
		return err
	}
	if b, err := boards.Choose(declared, c.View); err == nil && b.Box == nil && !c.At.IsZero() {
		return fmt.Errorf("--at is for a board with a box, such as of days or weeks; %s is of all time", b.View.Name)
	}
	board, err := FindBoard(ctx, c.PipelineFlags, pipeline, c.View)
	if err != nil {
		return err
	}
	at := time.Now()
	if !c.At.IsZero() {
		at = c.At
	}
	return PrintTopAt(ctx, verb.Stdout, board, at, c.N)
}

// PrintTopAt shows a board; of one with a box, the day, week or month that holds a moment.
func PrintTopAt(ctx context.Context, out io.Writer, board *boards.Board, at time.Time, n int) error {
	box := board.BoxAt(at)
	best, err := board.Top(ctx, box, n)
	if err != nil {
		return err
	}
	switch {
	case len(best) == 0 && box == "":
		fmt.Fprintln(out, "The board is empty.")
	case len(best) == 0:
		fmt.Fprintf(out, "The %s board of %s is empty.\n", board.View.Name, box)
	case box != "":
		fmt.Fprintf(out, "Top %d of %s\n", n, box)
	}
	return PrintTop(out, best)
}

// PrintTop prints entries, the best first.
func PrintTop(out io.Writer, best []boards.Entry) error {
	w := printable.Table{Right: true}
	for i, e := range best {
		w.Row(fmt.Sprintf("%d.", i+1), printable.Name(e.Name), e.Number)
	}
	if err := w.Flush(out); err != nil {
		return err
	}
	for _, e := range best {
		if e.Problem != "" {
			fmt.Fprintf(out, "! %s\n", printable.Text(problemOf(e)))
		}
	}
	return nil
}
