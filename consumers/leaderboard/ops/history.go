package ops

import (
	"context"
	"fmt"
	"io"

	"sluice/cli/verb"
	"sluice/consumers/leaderboard/boards"
	"sluice/shared/declaration"
	"sluice/shared/printable"
)

type historyCommand struct {
	verb.PipelineFlags
	User verb.PlayerName `arg:"" help:"The player."`
	N    int             `short:"n" default:"100" help:"How many scores, at most 100."`
}

func (c *historyCommand) Run(ctx context.Context, pipeline declaration.Pipeline) error {
	if c.N < 1 || c.N > boards.MaxHistory {
		return fmt.Errorf("-n must be from 1 to %d (got %d)", boards.MaxHistory, c.N)
	}
	board, err := FindBoard(ctx, c.PipelineFlags, pipeline)
	if err != nil {
		return err
	}
	events, err := board.History(ctx, string(c.User), c.N)
	if err != nil {
		return err
	}
	if len(events) == 0 {
		verb.Say("%s has no scores in %s.\n", printable.Name(string(c.User)), board.ScoreTable)
		return nil
	}
	return PrintHistory(verb.Stdout, events)
}

// PrintHistory prints scores, one a line.
func PrintHistory(out io.Writer, events []boards.Event) error {
	w := printable.Table{Right: true}
	for _, e := range events {
		if e.Problem != "" {
			w.Row(e.Timestamp, "-", "! "+e.Problem+"; no board counts it")
			continue
		}
		w.Row(e.Timestamp, e.Score)
	}
	return w.Flush(out)
}
