package ops

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/cli/verb"
	"sluice/consumers/leaderboard/boards"
	"sluice/shared/operate"
)

// verbs are the leaderboard's own.
type verbs struct {
	Top     topCommand     `cmd:"" help:"Show the players with the highest totals, of all time, a day or a week."`
	Rank    rankCommand    `cmd:"" help:"Show where a player stands by total among all players, and the neighbours."`
	History historyCommand `cmd:"" help:"Show a player's latest scores, latest first."`
}

func (registered) Verbs() any { return &verbs{} }

// FindBoard returns the leaderboard of the chosen pipeline.
func FindBoard(ctx context.Context, f verb.PipelineFlags) (boards.Board, error) {
	p, err := f.Part(ctx, "leaderboard")
	if err != nil {
		return boards.Board{}, err
	}
	return NewBoard(p)
}

// NewBoard makes a Board of the outputs of the leaderboard's template.
func NewBoard(p operate.Part) (boards.Board, error) {
	s, err := ReadSettings(p)
	if err != nil {
		return boards.Board{}, err
	}
	views, err := s.Views()
	return boards.Board{
		Client: dynamodb.NewFromConfig(p.Tables), ScoreTable: s.ScoreTable, BoardTable: s.BoardTable, BoxTable: s.BoxTable, RankTable: s.RankTable,
		Shards: s.Shards, Views: views,
	}, err
}
