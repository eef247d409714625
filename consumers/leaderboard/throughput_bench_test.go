package leaderboard

import (
	"bytes"
	"fmt"
	"net/http"
	"regexp"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/shared/consumertest"
	"sluice/shared/consumertest/blast"
	"sluice/shared/keeper"
)

// BenchmarkThroughput measures how many changes a second this consumer brings
// into DynamoDB Local, from payload to answer, beside two blasts of ready-made
// requests, built and signed before the clock starts: the consumer's very own
// requests once more, into a database that is as the first one was, which is
// what the destination takes at best; and a plain ADD for each change. All have
// as many requests on their way at once. They take turns, and the ratios are
// medians of the turns' ratios.
func BenchmarkThroughput(b *testing.B) {
	const players, rounds = 64, 7
	for _, size := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("changes=%d", size), func(b *testing.B) {
			ours, again, theirs := newWorld(b), newWorld(b), newWorld(b)
			recorded := &blast.Recorder{Base: newTransport(b)}
			ours.config.HTTPClient = &http.Client{Transport: recorded}
			function := ours.handler(ours.keeping(b, "leaderboard"))
			key, err := again.config.Credentials.Retrieve(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			client := &http.Client{Transport: newTransport(b)} // of both blasts
			changes := max(1, 20/size) * size * players        // of a turn
			var rates, ready, plain blast.Turns
			for round := -1; round < rounds; round++ {
				var payloads [][]byte
				for from := (round + 1) * changes; from < (round+2)*changes; from += size * players {
					records := make([][]byte, size*players)
					for i := range records {
						records[i] = insert(playerName(i%players), from+i, "1")
					}
					payloads = append(payloads, consumertest.Payload(1+from, records...))
				}
				rate := blast.Time(changes, func() {
					for _, payload := range payloads {
						answer, err := function.Invoke(b.Context(), payload)
						if err != nil {
							b.Fatal(err)
						}
						if bytes.Contains(answer, []byte("itemIdentifier")) {
							b.Fatalf("changes failed: %s", answer)
						}
					}
				})
				own := recorded.Take()
				blast.Redirect(own, key.AccessKeyID)
				ownRate := blast.Time(changes, func() { send(b, client, own) })
				adds := plainAdditions(b, theirs, players, 20)
				addRate := blast.Time(players*20, func() { send(b, client, adds) })
				if round >= 0 { // the first turn opens connections and warms up the server
					rates, ready, plain = append(rates, rate), append(ready, ownRate), append(plain, addRate)
				}
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(rates.PerSecond(), "changes/s")
			b.ReportMetric(rates.Over(ready), "of-own-requests")
			b.ReportMetric(rates.Over(plain), "of-plain-adds")
			b.ReportMetric(rates.Processor(), "cpu-µs/change")
			b.ReportMetric(ready.Processor(), "own-requests-cpu-µs/change")
			b.ReportMetric(plain.Processor(), "plain-adds-cpu-µs/change")
		})
	}
}

func newTransport(b *testing.B) *http.Transport {
	t := &http.Transport{MaxIdleConnsPerHost: keeper.DefaultConcurrency}
	b.Cleanup(t.CloseIdleConnections)
	return t
}

// plainAdditions are n plain ADDs for each player, as the SDK would send them.
func plainAdditions(b *testing.B, w *world, players, n int) []blast.Request {
	b.Helper()
	recorded := &blast.Recorder{Base: blast.Nowhere{}}
	client := dynamodb.NewFromConfig(w.config, func(o *dynamodb.Options) {
		o.HTTPClient = &http.Client{Transport: recorded}
	})
	for i := range players * n {
		if _, err := client.UpdateItem(b.Context(), plainAddition(playerName(i%players), "1")); err != nil {
			b.Fatal(err)
		}
	}
	return recorded.Take()
}

var player = regexp.MustCompile(`player-\d+`)

// send sends all requests, as many at once as the consumer, those of a player in
// order.
func send(b *testing.B, client *http.Client, requests []blast.Request) {
	b.Helper()
	if err := blast.Send(client, requests, keeper.DefaultConcurrency, func(body []byte) string { return string(player.Find(body)) }); err != nil {
		b.Fatal(err)
	}
}
