package leaderboard

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"sluice/deploy/local/mapping/function/functiontest"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/gametest"
)

// BenchmarkColdStart measures how long the function takes to its first answer, also if it
// has to apply a change for it: it looks which views are rebuilt, then adds to three boards.
func BenchmarkColdStart(b *testing.B) {
	functiontest.ColdStart(b, "./lambda", func(n int) []byte {
		keys, image := event("player-"+strconv.Itoa(n), n, "1")
		return consumertest.Change{Table: gametest.ScoreTable, Time: time.Now(), Keys: keys, New: image}.Record()
	}, environment(b)...)
}

// environment is what a function needs that works in a world of its own.
func environment(b *testing.B) []string {
	b.Helper()
	w := newWorld(b)
	key, err := w.config.Credentials.Retrieve(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	return []string{"LEDGER_TABLE=" + w.ledger, "AWS_ENDPOINT_URL_DYNAMODB=" + *w.config.BaseEndpoint, "AWS_ACCESS_KEY_ID=" + key.AccessKeyID}
}

// BenchmarkTroubledMemory measures the function's memory over batches that each have a score that
// is no number, a new player, plays of ten players, and a player whose items can't be written.
func BenchmarkTroubledMemory(b *testing.B) {
	queue := functiontest.NewQueue(b)
	cfg := servertest.DynamoDB(b)
	cfg.Credentials = queue.Credentials // the function has one key for both
	w, began := newWorldIn(b, cfg), time.Now()
	functiontest.Troubled(b, "./lambda", func(kind functiontest.Kind, n int) []byte {
		player, score := fmt.Sprint(kind, "-", n), "1"
		switch kind {
		case functiontest.Bad:
			score = "many"
		case functiontest.Usual:
			player = fmt.Sprint(kind, "-", n%10)
		case functiontest.New, functiontest.Unlucky:
		}
		keys, image := event(player, n, score)
		return consumertest.Change{Table: gametest.ScoreTable, Time: began.Add(time.Duration(n) * time.Microsecond), Keys: keys, New: image}.Record()
	}, queue, "LEDGER_TABLE="+w.ledger, "AWS_ENDPOINT_URL_DYNAMODB="+functiontest.Denying(b, *cfg.BaseEndpoint))
}

// BenchmarkMemory measures the function's memory over a million changes of ten players.
func BenchmarkMemory(b *testing.B) {
	began := time.Now()
	functiontest.Memory(b, "./lambda", 1_000_000, func(n int) []byte {
		image := consumertest.Item{
			gametest.AttrUser:      consumertest.S("player-" + strconv.Itoa(n%10)),
			gametest.AttrTimestamp: consumertest.S(strconv.Itoa(n)),
			gametest.AttrScore:     consumertest.N(strconv.Itoa(n % 10)),
		}
		keys := consumertest.Item{gametest.AttrUser: image[gametest.AttrUser], gametest.AttrTimestamp: image[gametest.AttrTimestamp]}
		return consumertest.Change{
			Table: gametest.ScoreTable, Time: began.Add(time.Duration(n) * time.Microsecond), Keys: keys, New: image,
		}.Record()
	}, environment(b)...)
}
