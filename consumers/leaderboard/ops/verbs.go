package ops

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/cli/verb"
	"sluice/consumers/leaderboard"
	"sluice/consumers/leaderboard/boards"
	"sluice/shared/declaration"
)

// verbs are the leaderboard's own.
type verbs struct {
	Top  topCommand  `cmd:"" help:"Show the items of a board with the highest totals, of all time, a day, a week or a month."`
	Rank rankCommand `cmd:"" help:"Show where an item stands among all of a board, and its neighbours."`
}

func (registered) Verbs() any { return &verbs{} }

// FindBoard returns a view of the chosen pipeline as a board; with an empty name, the first view that is one.
func FindBoard(ctx context.Context, f verb.PipelineFlags, pipeline declaration.Pipeline, name string) (*boards.Board, error) {
	// Whether there is such a board, the declarations know without a stack.
	declared, err := registered{pipeline}.Views()
	if err == nil {
		_, err = boards.Choose(declared, name)
	}
	if err != nil {
		return nil, err
	}
	p, err := f.Part(ctx, "leaderboard")
	if err != nil {
		return nil, err
	}
	d, _, err := registered{pipeline}.settle(p)
	if err != nil {
		return nil, err
	}
	views, err := leaderboard.Views(d)
	if err != nil {
		return nil, err
	}
	return boards.New(dynamodb.NewFromConfig(p.Tables), views, name)
}
