package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"sluice/consumers/leaderboard"
)

type topCommand struct {
	pipelineFlags
	N int `short:"n" default:"3" help:"How many players."`
}

func (c *topCommand) Run(ctx context.Context) error {
	if c.N < 1 {
		return fmt.Errorf("-n must be at least 1 (got %d)", c.N)
	}
	board, err := c.board(ctx)
	if err != nil {
		return err
	}
	best, err := board.Top(ctx, c.N)
	if err != nil {
		return err
	}
	if len(best) == 0 {
		fmt.Println("The board is empty; \"sluice play\" fills it.")
		return nil
	}
	return printTop(os.Stdout, best)
}

func printTop(out io.Writer, best []leaderboard.Total) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	for i, total := range best {
		fmt.Fprintf(w, "%d.\t%s\t%s\t\n", i+1, total.User, total.Score)
	}
	return w.Flush()
}
