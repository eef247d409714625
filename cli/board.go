package cli

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/cli/verb"
	"sluice/consumers/leaderboard"
	"sluice/consumers/leaderboard/boards"
	"sluice/shared/operate"
)

// boardOf returns the leaderboard of the chosen pipeline.
func boardOf(ctx context.Context, f verb.PipelineFlags) (boards.Board, error) {
	p, err := f.Part(ctx, "leaderboard")
	if err != nil {
		return boards.Board{}, err
	}
	return newBoard(p)
}

// newBoard makes a Board of the leaderboard's outputs.
func newBoard(p operate.Part) (boards.Board, error) {
	s, err := leaderboardSettings(p)
	if err != nil {
		return boards.Board{}, err
	}
	views, err := s.Views()
	return boards.Board{
		Client: dynamodb.NewFromConfig(p.Tables), ScoreTable: s.ScoreTable, BoardTable: s.BoardTable, BoxTable: s.BoxTable, RankTable: s.RankTable,
		Shards: s.Shards, Views: views,
	}, err
}

// leaderboardSettings makes settings of the leaderboard's outputs.
func leaderboardSettings(p operate.Part) (leaderboard.Settings, error) {
	s := leaderboard.DefaultSettings()
	if err := p.Read(&s); err != nil {
		return s, err
	}
	return s, s.Validate()
}
