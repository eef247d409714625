package ops

import (
	"context"
	"fmt"
	"io"
	"strings"

	"sluice/cli/verb"
	"sluice/shared/declaration"
	"sluice/shared/printable"
)

type badgesExplainCommand struct {
	verb.PipelineFlags
	Player verb.PlayerName `arg:"" help:"The player."`
	Badge  string          `arg:"" help:"The badge; \"sluice lint\" lists them."`
	Lang   string          `default:"en" help:"Language of the title."`
	JSON   bool            `help:"Print the result as JSON."`
}

func (c *badgesExplainCommand) Run(ctx context.Context, pipeline declaration.Pipeline) error {
	part, err := c.Part(ctx, "badges")
	if err != nil {
		return err
	}
	reader, err := OpenReader(part, pipeline)
	if err != nil {
		return err
	}
	if err := reader.CheckLanguage(c.Lang); err != nil {
		return err
	}
	e, err := reader.Explain(ctx, string(c.Player), c.Badge, c.Lang)
	if err != nil {
		return err
	}
	if c.JSON {
		return verb.PrintJSON(e)
	}
	printExplanation(verb.Stdout, e)
	return nil
}

func printExplanation(out io.Writer, e Explanation) {
	fmt.Fprintf(out, "%s, %s: %s\n", e.Badge, e.Title, e.Rule)
	for _, s := range e.Steps {
		what := strings.Trim(s.Level+" "+s.Of, " ")
		if what == "" {
			what = e.Badge
		}
		mark := "·"
		if s.Status == Has {
			mark = "★"
		}
		fmt.Fprintf(out, "  %s %s: %s\n", mark, what, sayStep(printable.Name(e.Player), s))
	}
	if len(e.Days) > 0 {
		fmt.Fprintf(out, "The days that count: %s.\n", listed(e.Days))
	}
	if len(e.Values) > 0 {
		fmt.Fprintf(out, "Seen so far: %s.\n", listed(e.Values))
	}
	if len(e.Lacks) > 0 {
		fmt.Fprintf(out, "%s still needs %s.\n", printable.Name(e.Player), strings.Join(e.Lacks, ", "))
	}
}

// sayStep says in a sentence how a player stands.
func sayStep(player string, s Step) string {
	switch s.Status {
	case Lacking:
		return fmt.Sprintf("%s of %s", s.Have, s.Need)
	case Coming:
		return "earned, and not awarded yet; its change may be on its way, if not, sluice verify badges --repair awards it"
	case Taken:
		return fmt.Sprintf("earned %s, taken back %s, since plays were corrected, or one arrived late", s.EarnedAt, s.RevokedAt)
	}
	text := fmt.Sprintf("earned %s, awarded %s", s.EarnedAt, s.AwardedAt)
	switch {
	case s.ToldAt != "":
		text += fmt.Sprintf(", %s was told %s", player, s.ToldAt)
	case s.Untold:
		text += fmt.Sprintf("; %s has yet to be told", player)
	default:
		text += "; nobody was told"
	}
	if s.Kept {
		text += "; by now the plays earn it no more, and its rule takes nothing back"
	}
	return text
}

// listed lists texts, and leaves out the middle of many.
func listed(texts []string) string {
	const most = 12
	if len(texts) <= most {
		return strings.Join(texts, ", ")
	}
	return fmt.Sprintf("%s, …, %s (%d)", strings.Join(texts[:most/2], ", "), strings.Join(texts[len(texts)-most/2:], ", "), len(texts))
}
