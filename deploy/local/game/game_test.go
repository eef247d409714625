package game

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/shopspring/decimal"

	"sluice/consumers/leaderboard"
	"sluice/deploy/local/servers/servertest"
)

func TestMain(m *testing.M) { servertest.Main(m) }

// What Play says it has written is what the table holds.
func TestPlayReportsWhatTheTableHolds(t *testing.T) {
	client := dynamodb.NewFromConfig(servertest.DynamoDB(t))
	servertest.CreateTable(t, client, "Scores", leaderboard.AttrUser, leaderboard.AttrTimestamp)
	var scores atomic.Int64
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	written, err := Game{
		Client: client, Table: "Scores", Players: 12, For: time.Second, Rate: 200, Seed: seed,
		Scored: func(string, int) { scores.Add(1) },
	}.Play(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if scores.Load() == 0 || len(written) != 12 {
		t.Errorf("%d scores of %d players, want some of 12", scores.Load(), len(written))
	}
	held, err := leaderboard.Board{Client: client, ScoreTable: "Scores"}.Written(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for user, sum := range written {
		if !held[user].Equal(decimal.NewFromInt(sum)) {
			t.Errorf("%s has written %d, the table holds %s", user, sum, held[user])
		}
	}
}

func TestPlayStopsAtAnError(t *testing.T) {
	client := dynamodb.NewFromConfig(servertest.DynamoDB(t))
	_, err := Game{Client: client, Table: "NoSuchTable", Players: 3, For: time.Minute, Rate: 100}.Play(t.Context())
	if err == nil {
		t.Fatal("played on a table that doesn't exist")
	}
}
