package game

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/shopspring/decimal"
	"golang.org/x/sync/errgroup"

	"sluice/cli/verb"
	badgesops "sluice/consumers/badges/ops"
	"sluice/consumers/leaderboard/boards"
	leaderboardops "sluice/consumers/leaderboard/ops"
	"sluice/shared/declaration"
	"sluice/shared/operate"
	"sluice/shared/printable"
)

// findPlayers finds what is known of players in the chosen pipeline.
func findPlayers(ctx context.Context, f verb.PipelineFlags, pipeline declaration.Pipeline) (*playerReader, error) {
	badges, err := f.Part(ctx, "badges")
	if err != nil {
		return nil, err
	}
	leaderboard, err := f.Part(ctx, "leaderboard")
	if err != nil {
		return nil, err
	}
	return openPlayers(badges, leaderboard, pipeline)
}

func openPlayers(badges, leaderboard operate.Part, pipeline declaration.Pipeline) (*playerReader, error) {
	reader, err := badgesops.OpenReader(badges, pipeline)
	if err != nil {
		return nil, err
	}
	t, err := openTables(leaderboard, pipeline)
	return &playerReader{tables: t, badges: reader}, err
}

// playerReader joins what the leaderboard and the badges know.
type playerReader struct {
	tables tables
	badges *badgesops.Reader
}

// player is what is known of one.
type player struct {
	Player string `json:"player"`
	// Total is nothing if no score has arrived.
	Total *decimal.Decimal `json:"total,omitempty"`
	Rank  *rank            `json:"rank,omitempty"`
	// Plays are the latest, latest first.
	Plays []score `json:"plays"`
	// Problems name what can't be read of the player; the rest is right.
	Problems []string `json:"problems,omitempty"`
	badgesops.Profile
}

// rank is where a player stands. From and To are equal if that is known exactly.
type rank struct {
	From      int64     `json:"from"`
	To        int64     `json:"to"`
	Players   int64     `json:"players"`
	ReachedAt time.Time `json:"reachedAt,omitzero"` // the total
}

// latestPlays is how many of a player's plays are shown.
const latestPlays = 10

// read reads what is known of a player. Its parts are of about the same moment.
func (r *playerReader) read(ctx context.Context, name, language string) (*player, error) {
	p := &player{Player: name, Plays: []score{}}
	known := false
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		standing, err := r.tables.totals.Rank(ctx, name, 0)
		if errors.Is(err, boards.ErrNotOnBoard) || errors.Is(err, boards.ErrNotCounted) {
			return nil // not yet
		}
		if bad, is := errors.AsType[*boards.ItemError](err); is {
			p.Problems = []string{bad.Error()}
			return nil
		}
		if err == nil {
			p.Problems = leaderboardops.ProblemsOf(standing)
			p.Total = &standing.Entry.Number
			p.Rank = &rank{standing.From, standing.To, standing.Entries, standing.Entry.Since}
		}
		return err
	})
	group.Go(func() error {
		plays, err := r.tables.history(ctx, name, latestPlays)
		if len(plays) > 0 {
			p.Plays = plays
		}
		return err
	})
	group.Go(func() (err error) {
		p.Profile, known, err = r.badges.Profile(ctx, name, language)
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if !known && p.Total == nil && len(p.Plays) == 0 && len(p.Problems) == 0 {
		return nil, &badgesops.UnknownPlayerError{Player: name}
	}
	return p, nil
}

type playerCommand struct {
	verb.PipelineFlags
	User verb.PlayerName `arg:"" help:"The player."`
	Lang string          `default:"en" help:"Language of the badges' titles."`
	JSON bool            `help:"Print the result as JSON."`
}

func (c *playerCommand) Run(ctx context.Context, pipeline declaration.Pipeline) error {
	reader, err := findPlayers(ctx, c.PipelineFlags, pipeline)
	if err != nil {
		return err
	}
	if err := reader.badges.CheckLanguage(c.Lang); err != nil {
		return err
	}
	p, err := reader.read(ctx, string(c.User), c.Lang)
	if err != nil {
		return err
	}
	if c.JSON {
		return verb.PrintJSON(p)
	}
	return printPlayer(verb.Stdout, p)
}

func printPlayer(out io.Writer, p *player) error {
	switch {
	case p.Rank == nil && len(p.Problems) > 0: // said below
	case p.Rank == nil:
		fmt.Fprintf(out, "%s isn't on the board yet.\n", printable.Name(p.Player))
	case p.Rank.From == p.Rank.To:
		fmt.Fprintf(out, "%s has %s points and is number %d of %s.\n", printable.Name(p.Player), p.Total, p.Rank.From, operate.Count(int(p.Rank.Players), "player"))
	default:
		fmt.Fprintf(out, "%s has %s points and is between number %d and %d of %d players.\n", printable.Name(p.Player), p.Total, p.Rank.From, p.Rank.To, p.Rank.Players)
	}
	for _, problem := range p.Problems {
		fmt.Fprintf(out, "! %s\n", printable.Text(problem))
	}
	if len(p.Badges) > 0 {
		fmt.Fprintln(out, "\nBadges")
		var w printable.Table
		for _, b := range p.Badges {
			w.Row("  ★ "+b.Name(), b.EarnedAt[:min(len(b.EarnedAt), len(time.DateOnly))], b.Text)
		}
		if err := w.Flush(out); err != nil {
			return err
		}
	}
	if len(p.Next) > 0 {
		fmt.Fprintln(out, "\nOn the way")
		var w printable.Table
		for _, n := range p.Next {
			w.Row("  · "+n.Name(), fmt.Sprintf("%s of %s", n.Have, n.Need))
		}
		if err := w.Flush(out); err != nil {
			return err
		}
	}
	if len(p.Plays) == 0 {
		return nil
	}
	fmt.Fprintf(out, "\nLatest %s\n", operate.Count(len(p.Plays), "score"))
	return printHistory(out, p.Plays)
}
