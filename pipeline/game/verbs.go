package game

import (
	"context"

	"sluice/shared/operate"
)

// verbs are the game's verbs, as kong takes them. They answer over HTTP, too.
type verbs struct {
	Demo    demoCommand    `cmd:"" serves:"" help:"Start the pipeline, play the game, check every total, stop."`
	Play    playCommand    `cmd:"" help:"Play the game: players write scores to the score table."`
	History historyCommand `cmd:"" help:"Show a player's latest scores, latest first."`
	Player  playerCommand  `cmd:"" help:"Show a player: total, rank, latest scores, badges and what is on the way."`
}

// Verbs returns the game's verbs.
func Verbs() any { return &verbs{} }

var _ operate.Server = (*verbs)(nil)

// Handlers implements operate.Server: GET /players/NAME.
func (*verbs) Handlers(_ context.Context, s operate.Serving) ([]operate.Handler, error) {
	badges, err := s.Find("badges")
	if err != nil {
		return nil, err
	}
	leaderboard, err := s.Find("leaderboard")
	if err != nil {
		return nil, err
	}
	reader, err := openPlayers(badges, leaderboard, s.Pipeline)
	if err != nil {
		return nil, err
	}
	return []operate.Handler{{Pattern: "/players/{id}", Handler: newPlayersHandler(reader, s.Log), Example: "/players/quynn"}}, nil
}
