package ops

import (
	"context"
	"fmt"
	"io"
	"slices"

	"sluice/cli/verb"
	"sluice/consumers/leaderboard/boards"
	"sluice/shared/declaration"
	"sluice/shared/printable"
)

type rankCommand struct {
	verb.PipelineFlags
	User verb.PlayerName `arg:"" help:"The player."`
	N    int             `short:"n" default:"5" help:"How many neighbours on each side, at most 100."`
	JSON bool            `help:"Print the result as JSON."`
}

// maxNeighbours bounds what one question reads.
const maxNeighbours = 100

func (c *rankCommand) Run(ctx context.Context, pipeline declaration.Pipeline) error {
	if c.N < 0 || c.N > maxNeighbours {
		return fmt.Errorf("-n must be from 0 to %d (got %d)", maxNeighbours, c.N)
	}
	board, err := FindBoard(ctx, c.PipelineFlags, pipeline)
	if err != nil {
		return err
	}
	standing, err := board.Rank(ctx, string(c.User), c.N)
	if err != nil {
		return err
	}
	if c.JSON {
		return verb.PrintJSON(standing)
	}
	return PrintStanding(verb.Stdout, standing)
}

// PrintStanding shows the rank in a sentence and the player among the neighbours,
// with their ranks if these are known.
func PrintStanding(out io.Writer, s boards.Standing) error {
	if s.Exact() {
		fmt.Fprintf(out, "%s is number %d of %d players.\n", printable.Name(s.Player.User), s.From, s.Players)
	} else {
		fmt.Fprintf(out, "%s is between number %d and %d of %d players: too many have nearly the same total to tell exactly.\n", printable.Name(s.Player.User), s.From, s.To, s.Players)
	}
	w := printable.Table{Right: true}
	for i, total := range slices.Concat(s.Above, []boards.Total{s.Player}, s.Below) {
		mark, number := "", ""
		if i == len(s.Above) {
			mark = "▶"
		}
		if s.Exact() {
			number = fmt.Sprintf("%d.", s.From+int64(i-len(s.Above)))
		}
		w.Row(mark, number, printable.Name(total.User), total.Score)
	}
	if err := w.Flush(out); err != nil {
		return err
	}
	for _, problem := range ProblemsOf(s) {
		fmt.Fprintf(out, "! %s\n", printable.Text(problem))
	}
	if s.Crowded {
		fmt.Fprintf(out, "More neighbours are among over %d players with one total, whose order was not read.\n", boards.DefaultMaxCounted)
	}
	return nil
}

// ProblemsOf says which items of a standing can't be read, and what that means for it.
func ProblemsOf(s boards.Standing) []string {
	var problems []string
	for _, problem := range s.Problems {
		problems = append(problems, problem+"; the rank leaves its players out")
	}
	for _, total := range slices.Concat(s.Above, []boards.Total{s.Player}, s.Below) {
		if total.Problem != "" {
			problems = append(problems, problemOf(total))
		}
	}
	return problems
}

// problemOf says what is wrong with a total whose score can be read.
func problemOf(t boards.Total) string {
	return fmt.Sprintf("the total of %q: %s; among equal totals it stands first", t.User, t.Problem)
}
