package ops

import (
	"context"
	"errors"
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
	N     int       `short:"n" default:"3" help:"How many players."`
	Board string    `enum:"total,daily,weekly" default:"total" help:"Which board: total, daily or weekly."`
	At    time.Time `format:"2006-01-02" help:"The daily or weekly board of this date (UTC) instead of today's." placeholder:"DATE"`
}

func (c *topCommand) Run(ctx context.Context, pipeline declaration.Pipeline) error {
	if c.N < 1 {
		return fmt.Errorf("-n must be at least 1 (got %d)", c.N)
	}
	if c.Board == boards.TotalBoard && !c.At.IsZero() {
		return errors.New("--at is for --board daily or weekly; the total is of all time")
	}
	board, err := FindBoard(ctx, c.PipelineFlags, pipeline)
	if err != nil {
		return err
	}
	if c.Board != boards.TotalBoard {
		if c.At.IsZero() {
			c.At = time.Now()
		}
		return PrintTopOf(ctx, verb.Stdout, board, c.Board, c.At, c.N)
	}
	best, err := board.Top(ctx, c.N)
	if err != nil {
		return err
	}
	if len(best) == 0 {
		verb.SayLine("The board is empty; \"sluice play\" fills it.")
		return nil
	}
	return PrintTop(verb.Stdout, best)
}

// PrintTopOf shows the board of the day or week that holds a moment.
func PrintTopOf(ctx context.Context, out io.Writer, board boards.Board, name string, at time.Time, n int) error {
	box, best, err := board.TopOf(ctx, name, at, n)
	if err != nil {
		return err
	}
	if len(best) == 0 {
		fmt.Fprintf(out, "The %s board of %s is empty.\n", name, box)
		return nil
	}
	fmt.Fprintf(out, "Top %d of %s\n", n, box)
	return PrintTop(out, best)
}

// PrintTop prints totals, the best first.
func PrintTop(out io.Writer, best []boards.Total) error {
	w := printable.Table{Right: true}
	for i, total := range best {
		w.Row(fmt.Sprintf("%d.", i+1), printable.Name(total.User), total.Score)
	}
	if err := w.Flush(out); err != nil {
		return err
	}
	for _, total := range best {
		if total.Problem != "" {
			fmt.Fprintf(out, "! %s\n", printable.Text(problemOf(total)))
		}
	}
	return nil
}
