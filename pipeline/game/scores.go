package game

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/shopspring/decimal"

	"sluice/cli/verb"
	"sluice/consumers/leaderboard"
	"sluice/consumers/leaderboard/boards"
	"sluice/shared/change"
	"sluice/shared/declaration"
	"sluice/shared/operate"
	"sluice/shared/view"
)

// The attributes of a score.
const (
	attrUser      = "UserId"
	attrTimestamp = "Timestamp"
	attrScore     = "Score"
)

// The views that are the game's boards.
const (
	totalBoard = "leaderboard"
	dailyBoard = "daily"
)

// tables are the game's: the scores, and the boards that the leaderboard keeps of them.
type tables struct {
	client *dynamodb.Client
	scores string // the table
	totals *boards.Board
	daily  *boards.Board
	views  []*view.View // all that the leaderboard keeps
}

// findTables returns the game's tables in the chosen pipeline.
func findTables(ctx context.Context, f verb.PipelineFlags, pipeline declaration.Pipeline) (tables, error) {
	p, err := f.Part(ctx, "leaderboard")
	if err != nil {
		return tables{}, err
	}
	return openTables(p, pipeline)
}

// openTables finds the game's tables by the outputs of the leaderboard's template.
func openTables(p operate.Part, pipeline declaration.Pipeline) (tables, error) {
	d, err := p.Settle(pipeline, leaderboard.ViewsFile)
	if err != nil {
		return tables{}, err
	}
	views, err := leaderboard.Views(d)
	if err != nil {
		return tables{}, err
	}
	return newTables(dynamodb.NewFromConfig(p.Tables), d.Settings["SCORE_TABLE"], views)
}

func newTables(client *dynamodb.Client, scores string, views []*view.View) (t tables, err error) {
	t = tables{client: client, scores: scores, views: views}
	if t.totals, err = boards.New(client, views, totalBoard); err != nil {
		return t, err
	}
	t.daily, err = boards.New(client, views, dailyBoard)
	return t, err
}

// score is one entry of a player's history: a score, or why the item has none.
type score struct {
	Timestamp string           `json:"timestamp"`
	Score     *decimal.Decimal `json:"score,omitempty"`
	Problem   string           `json:"problem,omitempty"`
}

// maxHistory is how many scores history returns at most.
const maxHistory = 100

// history returns a player's latest n scores, latest first; at most maxHistory. An item without a usable score counts too,
// and says why: the boards don't count it, since its change is a dead letter.
func (t tables) history(ctx context.Context, user string, n int) ([]score, error) {
	if n <= 0 {
		return nil, nil
	}
	out, err := t.client.Query(ctx, &dynamodb.QueryInput{
		TableName:                 &t.scores,
		KeyConditionExpression:    aws.String("#user = :user"),
		ExpressionAttributeNames:  map[string]string{"#user": attrUser},
		ExpressionAttributeValues: map[string]types.AttributeValue{":user": &types.AttributeValueMemberS{Value: user}},
		ScanIndexForward:          aws.Bool(false),
		Limit:                     aws.Int32(int32(min(n, maxHistory))),
	})
	if err != nil {
		return nil, fmt.Errorf("read the history of %q in %s: %w", user, t.scores, err)
	}
	scores := make([]score, len(out.Items))
	for i, item := range out.Items {
		scores[i].Timestamp = change.TextOf(item[attrTimestamp])
		if number, err := boards.Number(item, attrScore); err != nil {
			scores[i].Problem = err.Error()
		} else {
			scores[i].Score = &number
		}
	}
	return scores, nil
}
