package ops

import (
	"context"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/cli/verb"
	"sluice/consumers/leaderboard"
	"sluice/consumers/leaderboard/boards"
	"sluice/shared/declaration"
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
func FindBoard(ctx context.Context, f verb.PipelineFlags, pipeline declaration.Pipeline) (boards.Board, error) {
	p, err := f.Part(ctx, "leaderboard")
	if err != nil {
		return boards.Board{}, err
	}
	return NewBoard(p, pipeline)
}

// NewBoard makes a Board of the outputs of the leaderboard's template.
func NewBoard(p operate.Part, pipeline declaration.Pipeline) (boards.Board, error) {
	d, _, err := registered{pipeline}.settle(p)
	if err != nil {
		return boards.Board{}, err
	}
	views, err := leaderboard.Views(d)
	shards, _ := strconv.Atoi(d.Settings["BOARD_SHARDS"])
	return boards.Board{
		Client: dynamodb.NewFromConfig(p.Tables), ScoreTable: d.Settings["SCORE_TABLE"], BoardTable: d.Settings["BOARD_TABLE"], BoxTable: d.Settings["BOX_TABLE"], RankTable: d.Settings["RANK_TABLE"],
		Shards: shards, Views: views,
	}, err
}
