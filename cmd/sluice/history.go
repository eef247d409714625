package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"sluice/consumers/leaderboard"
)

type historyCommand struct {
	pipelineFlags
	User string `arg:"" help:"The player."`
	N    int    `short:"n" default:"100" help:"How many scores, at most 100."`
}

func (c *historyCommand) Run(ctx context.Context) error {
	if c.N < 1 || c.N > leaderboard.MaxHistory {
		return fmt.Errorf("-n must be from 1 to %d (got %d)", leaderboard.MaxHistory, c.N)
	}
	board, err := c.board(ctx)
	if err != nil {
		return err
	}
	events, err := board.History(ctx, c.User, c.N)
	if err != nil {
		return err
	}
	if len(events) == 0 {
		fmt.Printf("%s has no scores in %s.\n", c.User, board.ScoreTable)
		return nil
	}
	return printHistory(os.Stdout, events)
}

func printHistory(out io.Writer, events []leaderboard.Event) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, e := range events {
		fmt.Fprintf(w, "%s\t%s\t\n", e.Timestamp, e.Score)
	}
	return w.Flush()
}
