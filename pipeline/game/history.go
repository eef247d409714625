package game

import (
	"context"
	"fmt"
	"io"

	"sluice/cli/verb"
	"sluice/shared/declaration"
	"sluice/shared/printable"
)

type historyCommand struct {
	verb.PipelineFlags
	User verb.PlayerName `arg:"" help:"The player."`
	N    int             `short:"n" default:"100" help:"How many scores, at most 100."`
}

func (c *historyCommand) Run(ctx context.Context, pipeline declaration.Pipeline) error {
	if c.N < 1 || c.N > maxHistory {
		return fmt.Errorf("-n must be from 1 to %d (got %d)", maxHistory, c.N)
	}
	t, err := findTables(ctx, c.PipelineFlags, pipeline)
	if err != nil {
		return err
	}
	scores, err := t.history(ctx, string(c.User), c.N)
	if err != nil {
		return err
	}
	if len(scores) == 0 {
		verb.Say("%s has no scores in %s.\n", printable.Name(string(c.User)), t.scores)
		return nil
	}
	return printHistory(verb.Stdout, scores)
}

// printHistory prints scores, one a line.
func printHistory(out io.Writer, scores []score) error {
	w := printable.Table{Right: true}
	for _, s := range scores {
		if s.Problem != "" {
			w.Row(s.Timestamp, "-", "! "+s.Problem+"; no board counts it")
			continue
		}
		w.Row(s.Timestamp, s.Score)
	}
	return w.Flush(out)
}
