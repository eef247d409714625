package badges

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"sluice/deploy/local/mapping/function/functiontest"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/gametest"
)

// BenchmarkColdStart measures how long the function takes to its first answer, also if it
// has to apply a play for it: it looks which of its states are rebuilt, adds to two of them,
// and stores and tells the badge for the first play.
func BenchmarkColdStart(b *testing.B) {
	env, began := environment(b, servertest.Ministack(b), noProxy), time.Now()
	functiontest.ColdStart(b, "./lambda", func(n int) []byte { return playRecord(fmt.Sprint("player-", n), n, began) }, env...)
}

// BenchmarkMemory measures the function's memory over 100,000 plays of 1,000 players, who
// earn some badges with them.
func BenchmarkMemory(b *testing.B) {
	env, began := environment(b, servertest.Ministack(b), noProxy), time.Now()
	functiontest.Memory(b, "./lambda", 100_000, func(n int) []byte { return playRecord(fmt.Sprint("player-", n%1000), n, began) }, env...)
}

// playRecord is the n-th play: a thousand are made every half an hour.
func playRecord(player string, n int, began time.Time) []byte {
	played := time.Date(2026, 1, 1, 0, 30*(n/1000), 0, n, time.UTC).Format(time.RFC3339Nano)
	keys := consumertest.Item{"UserId": consumertest.S(player), "Timestamp": consumertest.S(played)}
	image := consumertest.Item{"UserId": keys["UserId"], "Timestamp": keys["Timestamp"], "Score": consumertest.N("1")}
	return consumertest.Change{Table: gametest.ScoreTable, Time: began.Add(time.Duration(n) * time.Microsecond), Keys: keys, New: image}.Record()
}

// BenchmarkTroubledMemory measures the function's memory over batches that each have a play
// without a date, a new player, plays of ten players, and a player whose items can't be written.
func BenchmarkTroubledMemory(b *testing.B) {
	queue, began := functiontest.NewQueue(b), time.Now()
	functiontest.Troubled(b, "./lambda", func(kind functiontest.Kind, n int) []byte {
		switch kind {
		case functiontest.Usual:
			return playRecord(fmt.Sprint(kind, "-", n%10), n, began)
		case functiontest.Bad:
			return bytes.ReplaceAll(playRecord(fmt.Sprint(kind, "-", n), n, began), []byte(`"2026-`), []byte(`"soon-`))
		case functiontest.New, functiontest.Unlucky:
		}
		return playRecord(fmt.Sprint(kind, "-", n), n, began)
	}, queue, environment(b, queue.Config, functiontest.Denying)...)
}

// noProxy is for a function that uses the tables without a proxy.
func noProxy(_ *testing.B, endpoint string) string { return endpoint }

// environment is what a function needs that works with tables and a topic of its own, the
// tables by way of a proxy.
func environment(b *testing.B, topics aws.Config, proxy func(*testing.B, string) string) []string {
	b.Helper()
	cfg := servertest.DynamoDB(b)
	cfg.Credentials = topics.Credentials // the function has one key for both
	if err := makeTables(b.Context(), cfg, ""); err != nil {
		b.Fatal(err)
	}
	topic, err := sns.NewFromConfig(topics).CreateTopic(b.Context(), &sns.CreateTopicInput{Name: new("badges")})
	if err != nil {
		b.Fatal(err)
	}
	key, err := cfg.Credentials.Retrieve(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	return []string{
		"LEDGER_TABLE=" + simulatedLedger, "TOPIC_ARN=" + *topic.TopicArn, "AWS_ENDPOINT_URL_SNS=" + *topics.BaseEndpoint,
		"AWS_ENDPOINT_URL_DYNAMODB=" + proxy(b, *cfg.BaseEndpoint), "AWS_ACCESS_KEY_ID=" + key.AccessKeyID,
	}
}
