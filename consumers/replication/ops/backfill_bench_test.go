package ops

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/consumers/replication"
	"sluice/consumers/replication/internal/store"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumertest/blast"
	"sluice/shared/consumertest/gametest"
	"sluice/shared/sdkhttp"
)

const wholeRoute = `replicas:
  - name: replica
    from: {table: Source}
    into: {table: Copy, region: eu-west-1}
`

// BenchmarkBackfill measures how many items a second a backfill copies into DynamoDB
// Local, beside a blast of ready-made BatchWriteItem requests of 25 items each,
// which know no condition, as many requests at once. They take turns.
func BenchmarkBackfill(b *testing.B) {
	const rounds, items, batch, segments = 9, 500, 25, 1
	ours, theirs := newCopies(b), newCopies(b)
	source := dynamodb.NewFromConfig(ours)
	if _, err := source.CreateTable(b.Context(), tableOf("Source", "Id", "S")); err != nil {
		b.Fatal(err)
	}
	var images []store.Item
	for i := range items {
		images = append(images, store.Item{
			"Id": textValue(fmt.Sprint(i)), "text": textValue("a text of some length"), "n": &types.AttributeValueMemberN{Value: "0"},
		})
		if _, err := source.PutItem(b.Context(), &dynamodb.PutItemInput{TableName: aws.String("Source"), Item: images[i]}); err != nil {
			b.Fatal(err)
		}
	}
	ours.HTTPClient = sdkhttp.Over(&http.Client{Transport: newTransport(b)})
	routes, err := replication.Routes(gametest.With(replication.ReplicasFile, "test.yaml", wholeRoute), ours.Region)
	if err != nil {
		b.Fatal(err)
	}
	client := &http.Client{Transport: newTransport(b)}
	var rates, batches blast.Turns
	for round := -1; round < rounds; round++ {
		for _, cfg := range []aws.Config{ours, theirs} { // into an empty copy
			recreate(b, cfg)
		}
		ready := batchWrites(b, theirs, images, batch)
		rate := blast.Time(items, func() {
			fill := &backfill{pair: newPair(replication.Tuned(ours), replication.DefaultSettings(), routes[0], segments, time.Now)}
			result, err := fill.Run(b.Context(), func(int) {})
			if err != nil || result.Written != items {
				b.Fatalf("%+v, %v", result, err)
			}
		})
		batchRate := blast.Time(items, func() { send(b, client, [][]blast.Request{ready}) })
		if round >= 0 {
			rates, batches = append(rates, rate), append(batches, batchRate)
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(rates.PerSecond(), "items/s")
	b.ReportMetric(batches.PerSecond(), "batch-writes-items/s")
	b.ReportMetric(rates.Over(batches), "of-batch-writes")
}

// recreate empties the copy.
func recreate(b *testing.B, cfg aws.Config) {
	b.Helper()
	client := dynamodb.NewFromConfig(inRegion(cfg, away))
	if _, err := client.DeleteTable(b.Context(), &dynamodb.DeleteTableInput{TableName: aws.String("Copy")}); err != nil {
		b.Fatal(err)
	}
	if _, err := client.CreateTable(b.Context(), tableOf("Copy", "Id", "S")); err != nil {
		b.Fatal(err)
	}
}

// batchWrites are puts of the images in batches, as the SDK would send them.
func batchWrites(b *testing.B, cfg aws.Config, images []store.Item, size int) []blast.Request {
	b.Helper()
	client, recorded := toNowhere(cfg)
	for batch := range slices.Chunk(images, size) {
		var puts []types.WriteRequest
		for _, image := range batch {
			puts = append(puts, types.WriteRequest{PutRequest: &types.PutRequest{Item: image}})
		}
		if _, err := client.BatchWriteItem(b.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"Copy": puts}}); err != nil {
			b.Fatal(err)
		}
	}
	return recorded.Take()
}

// toNowhere is a client in the copy's region whose requests are only kept.
func toNowhere(cfg aws.Config) (*dynamodb.Client, *blast.Recorder) {
	recorded := &blast.Recorder{Base: blast.Nowhere{}}
	cfg = inRegion(cfg, away)
	cfg.HTTPClient = &http.Client{Transport: recorded}
	return dynamodb.NewFromConfig(cfg), recorded
}

// newCopies returns the configuration of a database of its own with an empty copy
// and no tombstones; its region is that of the source.
func newCopies(b *testing.B) aws.Config {
	b.Helper()
	return newCopiesIn(b, servertest.DynamoDB(b))
}

// newCopiesIn makes the tables in an empty database.
func newCopiesIn(b *testing.B, cfg aws.Config) aws.Config {
	b.Helper()
	client := dynamodb.NewFromConfig(inRegion(cfg, away))
	for _, table := range []*dynamodb.CreateTableInput{tableOf("Copy", "Id", "S"), tableOf(replication.DefaultTombstoneTable, store.TombstoneKey, "B")} {
		if _, err := client.CreateTable(b.Context(), table); err != nil {
			b.Fatal(err)
		}
	}
	return cfg
}

func newTransport(b *testing.B) *http.Transport {
	t := &http.Transport{MaxIdleConnsPerHost: replication.Concurrency}
	b.Cleanup(t.CloseIdleConnections)
	return t
}

// send sends one batch after the other, each with as many requests at once as the
// consumer. There is at most one change of an item in a turn, so they may go in
// any order.
func send(b *testing.B, client *http.Client, batches [][]blast.Request) {
	b.Helper()
	for _, batch := range batches {
		n := 0
		if err := blast.Send(client, batch, replication.Concurrency, func([]byte) string { n++; return fmt.Sprint(n) }); err != nil {
			b.Fatal(err)
		}
	}
}
