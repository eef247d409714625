package leaderboard

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"sluice/consumers/leaderboard/boards"
	"sluice/shared/aggregate"
	"sluice/shared/change"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/gametest"
	"sluice/shared/consumertest/simulator"
)

// TestSimulatorRanks delivers random histories of the board of totals in every
// way that the stream may: the players of each bucket must be counted, though
// they move from one to another all the time.
func TestSimulatorRanks(t *testing.T) {
	s := simulation("rank-1", "rank-2", "rank-3")
	s.Workload = totals
	s.Read = func(ctx context.Context, cfg aws.Config) (map[string]string, error) {
		return readRanks(ctx, dynamodb.NewFromConfig(cfg))
	}
	s.Want = wantRanks
	s.Schedules = 60
	simulator.Run(t, s)
}

// totals are those of players, some of whom are in one bucket on some level and
// not on others.
var totals = simulator.Workload{
	Table: gametest.BoardTable,
	Key: func(group, n int) consumertest.Item {
		return consumertest.Item{gametest.AttrUser: consumertest.S(fmt.Sprintf("player %d-%d", group, n))}
	},
	Attributes: func(t *rapid.T, _ int) consumertest.Item {
		score := rapid.SampledFrom([]string{
			"0", "7", "7.5", "71", "710", "1e2", "100", "100.4", "101", "110", "12345", "12399", "-1", "-1.01", "-199", "-0.0456", "-0.0457",
			"12345678901234567890123456789012345678", "12345678901234567890123456789012345679", "-9.9999999999999999999999999999999999999", "1e125", "9.99e-128",
		}).Draw(t, "score")
		return consumertest.Item{
			gametest.AttrScore: consumertest.N(score), gametest.AttrShard: consumertest.N("3"),
			gametest.AttrReachedAt: consumertest.N(rapid.SampledFrom([]string{"1", "2"}).Draw(t, "reached at")), // changes that no bucket cares for
		}
	},
	Burst: aggregate.Capacity + 20,
}

// readRanks reads how many players each bucket has. What nobody is in may stand
// there with 0 or not at all.
func readRanks(ctx context.Context, client *dynamodb.Client) (map[string]string, error) {
	out, err := client.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String(gametest.RankTable), ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, err
	}
	buckets := map[string]string{}
	for _, item := range out.Items {
		bucket, err := boards.Number(item, gametest.AttrBucket)
		if err != nil {
			return nil, err
		}
		players, err := boards.Number(item, gametest.AttrPlayers)
		if err != nil {
			return nil, err
		}
		if !players.IsZero() {
			buckets[change.TextOf(item[gametest.AttrBoard])+" "+bucket.String()] = players.String()
		}
	}
	return buckets, nil
}

func wantRanks(changes []consumertest.Change) map[string]string {
	players := map[string]int64{}
	for _, c := range changes {
		for digits := 1; digits <= 3; digits++ {
			for sign, image := range map[int64]consumertest.Item{1: c.New, -1: c.Old} {
				if image != nil {
					players[fmt.Sprintf("total#%d %s", digits, firstDigits(image[gametest.AttrScore].Text(), digits))] += sign
				}
			}
		}
	}
	buckets := map[string]string{}
	for bucket, n := range players {
		if n != 0 {
			buckets[bucket] = fmt.Sprint(n)
		}
	}
	return buckets
}

// firstDigits replaces all digits of a number but the first ones by zeros. It
// works on the text, other than the view does.
func firstDigits(number string, digits int) string {
	text := []byte(decimal.RequireFromString(number).String())
	for i, c := range text {
		switch {
		case c < '0' || c > '9' || c == '0' && strings.Trim(string(text[:i]), "-0.") == "":
		case digits > 0:
			digits--
		default:
			text[i] = '0'
		}
	}
	return decimal.RequireFromString(string(text)).String()
}
