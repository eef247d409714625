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
	Name verb.ItemName `arg:"" help:"The item: the value of the source that is in the view's key."`
	View string        `help:"The board: a view with a shard, and a sum or count, and without a box. Without it, the first one that is declared." placeholder:"VIEW"`
	N    int           `short:"n" default:"5" help:"How many neighbours on each side, at most 100."`
	JSON bool          `help:"Print the result as JSON."`
}

// maxNeighbours bounds what one question reads.
const maxNeighbours = 100

func (c *rankCommand) Run(ctx context.Context, pipeline declaration.Pipeline) error {
	if c.N < 0 || c.N > maxNeighbours {
		return fmt.Errorf("-n must be from 0 to %d (got %d)", maxNeighbours, c.N)
	}
	board, err := FindBoard(ctx, c.PipelineFlags, pipeline, c.View)
	if err != nil {
		return err
	}
	standing, err := board.Rank(ctx, string(c.Name), c.N)
	if err != nil {
		return err
	}
	if c.JSON {
		return verb.PrintJSON(standing)
	}
	return PrintStanding(verb.Stdout, standing, "items")
}

// PrintStanding shows the rank in a sentence and the entry among the neighbours,
// with their ranks if these are known. Noun is what the board's entries are, such as "items".
func PrintStanding(out io.Writer, s boards.Standing, noun string) error {
	if s.Exact() {
		fmt.Fprintf(out, "%s is number %d of %d %s.\n", printable.Name(s.Entry.Name), s.From, s.Entries, noun)
	} else {
		fmt.Fprintf(out, "%s is between number %d and %d of %d %s: too many have nearly the same total to tell exactly.\n", printable.Name(s.Entry.Name), s.From, s.To, s.Entries, noun)
	}
	w := printable.Table{Right: true}
	for i, e := range slices.Concat(s.Above, []boards.Entry{s.Entry}, s.Below) {
		mark, number := "", ""
		if i == len(s.Above) {
			mark = "▶"
		}
		if s.Exact() {
			number = fmt.Sprintf("%d.", s.From+int64(i-len(s.Above)))
		}
		w.Row(mark, number, printable.Name(e.Name), e.Number)
	}
	if err := w.Flush(out); err != nil {
		return err
	}
	for _, problem := range ProblemsOf(s) {
		fmt.Fprintf(out, "! %s\n", printable.Text(problem))
	}
	if s.Crowded {
		fmt.Fprintf(out, "More neighbours are among over %d %s with one total, whose order was not read.\n", boards.DefaultMaxCounted, noun)
	}
	return nil
}

// ProblemsOf says which items of a standing can't be read, and what that means for it.
func ProblemsOf(s boards.Standing) []string {
	var problems []string
	for _, problem := range s.Problems {
		problems = append(problems, problem+"; the rank leaves out what it counts")
	}
	for _, e := range slices.Concat(s.Above, []boards.Entry{s.Entry}, s.Below) {
		if e.Problem != "" {
			problems = append(problems, problemOf(e))
		}
	}
	return problems
}

// problemOf says what is wrong with an entry whose number can be read.
func problemOf(e boards.Entry) string {
	return fmt.Sprintf("the total of %q: %s; among equal totals it stands first", e.Name, e.Problem)
}
