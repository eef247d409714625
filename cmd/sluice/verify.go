package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"text/tabwriter"
)

type verifyCommand struct {
	Leaderboard verifyLeaderboardCommand `cmd:"" help:"Compare each player's scores with the total on the leaderboard. Exits with 1 if any differs. Let the stream drain first."`
}

type verifyLeaderboardCommand struct {
	pipelineFlags
	JSON bool `help:"Print the result as JSON."`
}

func (c *verifyLeaderboardCommand) Run(ctx context.Context) error {
	board, err := c.board(ctx)
	if err != nil {
		return err
	}
	v, err := board.Verify(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		out := json.NewEncoder(os.Stdout)
		out.SetIndent("", "  ")
		if err := out.Encode(v); err != nil {
			return err
		}
	} else if len(v.Differences) == 0 {
		fmt.Printf("%d players, every total is the sum of the scores written.\n", v.Players)
	} else {
		w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintln(w, "player\twritten\tleaderboard\t")
		for _, d := range v.Differences {
			fmt.Fprintf(w, "%s\t%s\t%s\t\n", d.User, d.Written, d.Board)
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	if n := len(v.Differences); n > 0 {
		return fmt.Errorf("%d of %d players differ; if changes are still on their way, wait for the stream to drain and try again", n, v.Players)
	}
	return nil
}
