package replication

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/consumers/replication/internal/store"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/blast"
	"sluice/shared/consumertest/wire"
)

// BenchmarkCopy measures how many changes a second this consumer brings into
// DynamoDB Local, from payload to answer, beside blasts of ready-made requests,
// built and signed before the clock starts: a plain PutItem for each change; the
// consumer's own conditional PutItems once more; and all of the consumer's own
// requests once more, which are more where the copy hasn't got the items yet. Each
// contender has a database of its own, as many requests on their way at once, and
// the same batches, of which one is done before the next begins. They take turns,
// and the ratios are medians of the turns' ratios.
func BenchmarkCopy(b *testing.B) {
	const rounds, changes = 15, 500 // of a turn
	for _, kind := range []string{"inserts", "updates"} {
		for _, batch := range []int{100, 500} {
			b.Run(fmt.Sprintf("%s/batch=%d", kind, batch), func(b *testing.B) {
				ours, plainly, puts, again := newCopies(b), newCopies(b), newCopies(b), newCopies(b)
				recorded := &blast.Recorder{Base: newTransport(b)}
				ours.HTTPClient = &http.Client{Transport: recorded}
				replicate, err := newOfRoutes(shippedRoute)(Tuned(ours))
				if err != nil {
					b.Fatal(err)
				}
				function := consumer.NewHandler("replication", replicate, nil, consumer.Settings{}, slog.New(slog.DiscardHandler), new(bytes.Buffer))
				client := &http.Client{Transport: newTransport(b)} // of the blasts
				var rates, plain, conditional, own blast.Turns
				for round := -1; round < rounds; round++ {
					var payloads [][]byte
					var plainRequests, ownPuts, ownRequests [][]blast.Request // by batch
					for n := range changes / batch {
						var records [][]byte
						var images []store.Item
						at := (round+1)*changes/batch + n
						for i := range batch {
							id := fmt.Sprint(n, "-", i)
							if kind == "inserts" {
								id += fmt.Sprint(" of ", round)
							}
							records = append(records, benchRecord(id, at))
							c, err := change.Parse(records[i])
							if err != nil {
								b.Fatal(err)
							}
							images = append(images, c.New.AttributeValues())
						}
						payloads = append(payloads, consumertest.Payload(1+at*batch, records...))
						plainRequests = append(plainRequests, plainPuts(b, plainly, images))
					}
					rate := blast.Time(changes, func() {
						for _, payload := range payloads {
							if answer, err := function.Invoke(b.Context(), payload); err != nil || bytes.Contains(answer, []byte("itemIdentifier")) {
								b.Fatalf("changes failed: %s, %v", answer, err)
							}
							ownRequests = append(ownRequests, recorded.Take())
						}
					})
					for _, batch := range ownRequests {
						ownPuts = append(ownPuts, onlyPuts(batch))
					}
					turns := []blast.Turn{rate}
					for _, ready := range []struct {
						batches  [][]blast.Request
						database aws.Config
					}{{plainRequests, plainly}, {ownPuts, puts}, {ownRequests, again}} {
						redirect(b, ready.batches, ready.database)
						turns = append(turns, blast.Time(changes, func() { send(b, client, ready.batches) }))
					}
					if round >= 0 { // the first turn opens connections and warms up the server
						rates, plain, conditional, own = append(rates, turns[0]), append(plain, turns[1]), append(conditional, turns[2]), append(own, turns[3])
					}
				}
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(rates.PerSecond(), "changes/s")
				b.ReportMetric(rates.Over(plain), "of-plain-puts")
				b.ReportMetric(rates.Over(conditional), "of-own-puts")
				b.ReportMetric(rates.Over(own), "of-own-requests")
				b.ReportMetric(rates.Processor(), "cpu-µs/change")
				b.ReportMetric(own.Processor(), "own-requests-cpu-µs/change")
			})
		}
	}
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
	for _, table := range []*dynamodb.CreateTableInput{tableOf("Copy", "Id", "S"), tableOf(DefaultTombstoneTable, store.TombstoneKey, "B")} {
		if _, err := client.CreateTable(b.Context(), table); err != nil {
			b.Fatal(err)
		}
	}
	return cfg
}

func newTransport(b *testing.B) *http.Transport {
	t := &http.Transport{MaxIdleConnsPerHost: Concurrency}
	b.Cleanup(t.CloseIdleConnections)
	return t
}

// benchRecord is a change of an item with some text, made now or n µs later.
func benchRecord(id string, n int) []byte {
	key := consumertest.Item{"Id": consumertest.S(id)}
	return consumertest.Change{
		Table: "Source", Time: time.Now().Add(time.Duration(n) * time.Microsecond), Keys: key,
		New: consumertest.Item{"Id": key["Id"], "text": consumertest.S("a text of some length"), "n": consumertest.N(fmt.Sprint(n))},
	}.Record()
}

// plainPuts are puts of the images, as the SDK would send them.
func plainPuts(b *testing.B, cfg aws.Config, images []store.Item) []blast.Request {
	b.Helper()
	client, recorded := toNowhere(cfg)
	for _, image := range images {
		if _, err := client.PutItem(b.Context(), &dynamodb.PutItemInput{TableName: aws.String("Copy"), Item: image}); err != nil {
			b.Fatal(err)
		}
	}
	return recorded.Take()
}

// onlyPuts are those of the requests that write the copy.
func onlyPuts(requests []blast.Request) (puts []blast.Request) {
	for _, r := range requests {
		if wire.Operation(r.Request) == "PutItem" {
			r.Request = r.Clone(r.Context())
			puts = append(puts, r)
		}
	}
	return puts
}

func redirect(b *testing.B, batches [][]blast.Request, to aws.Config) {
	b.Helper()
	key, err := to.Credentials.Retrieve(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	for _, batch := range batches {
		blast.Redirect(batch, key.AccessKeyID)
	}
}

// send sends one batch after the other, each with as many requests at once as the
// consumer. There is at most one change of an item in a turn, so they may go in
// any order.
func send(b *testing.B, client *http.Client, batches [][]blast.Request) {
	b.Helper()
	for _, batch := range batches {
		n := 0
		if err := blast.Send(client, batch, Concurrency, func([]byte) string { n++; return fmt.Sprint(n) }); err != nil {
			b.Fatal(err)
		}
	}
}
