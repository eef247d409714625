package badges

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/gametest"
	"sluice/shared/consumertest/meter"
)

// BenchmarkUnits reports what a play costs in write and read units and in calls to
// DynamoDB, as DynamoDB itself counts them, once its player has made so many plays: by the
// shipped rules, and beside them by the handler of the blog post, which reads all plays of
// the player to count them. It counts and doesn't time, so once (-benchtime 1x) is enough.
// Half an hour lies between two plays, so one in 48 is the first of its day.
func BenchmarkUnits(b *testing.B) {
	const measured = 96 // two days
	for _, earlier := range []int{10, 1_000, 100_000} {
		b.Run(fmt.Sprintf("earlier=%d", earlier), func(b *testing.B) {
			for name, start := range map[string]func(*testing.B, aws.Config) consumer.Consumer{"sluice": startShipped, "reads-all": startReadsAll} {
				m := &meter.Meter{}
				cfg := servertest.DynamoDB(b)
				cfg.APIOptions = append(cfg.APIOptions, m.Install)
				c := start(b, cfg)
				began := time.Now().Add(-time.Duration(earlier+measured) * time.Millisecond)
				play := func(n int) *change.Change {
					keys := consumertest.Item{"UserId": consumertest.S("reed"), "Timestamp": consumertest.S(time.Date(2018, 1, 1, 0, 30*n, 0, 0, time.UTC).Format(time.RFC3339))}
					image := consumertest.Item{"UserId": keys["UserId"], "Timestamp": keys["Timestamp"], "Score": consumertest.N("1")}
					parsed, err := change.Parse(consumertest.Change{Table: gametest.ScoreTable, Time: began.Add(time.Duration(n) * time.Millisecond), Keys: keys, New: image}.Record())
					if err != nil {
						b.Fatal(err)
					}
					return parsed
				}
				apply := func(from, to int) {
					var batch []*change.Change
					for n := from; n < to; n++ {
						batch = append(batch, play(n))
					}
					for _, err := range c.ApplyBatch(b.Context(), batch) {
						if consumer.OutcomeOf(err) != consumer.Applied {
							b.Fatal(err)
						}
					}
				}
				if r, ok := c.(*readsAll); ok {
					r.fill(b, earlier, play)
				} else {
					for n := 0; n < earlier; n += 48 {
						apply(n, min(n+48, earlier))
					}
				}
				m.Take()
				for n := earlier; n < earlier+measured; n++ {
					apply(n, n+1)
				}
				used := m.Take()
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(used.WriteUnits/measured, name+"-write-units/play")
				b.ReportMetric(used.ReadUnits/measured, name+"-read-units/play")
				b.ReportMetric(float64(used.Calls)/measured, name+"-calls/play")
			}
		})
	}
}

func startShipped(b *testing.B, cfg aws.Config) consumer.Consumer {
	b.Helper()
	settings := DefaultSettings()
	o := &observers{cfg: servertest.Ministack(b), lanes: map[string]*observed{}}
	lane, err := o.lane(b.Context(), cfg)
	if err != nil {
		b.Fatal(err)
	}
	settings.LedgerTable, settings.TopicARN = simulatedLedger, lane.settings.TopicARN
	if err := makeTables(b.Context(), cfg, ""); err != nil {
		b.Fatal(err)
	}
	c, err := New(dynamodb.NewFromConfig(cfg), sns.NewFromConfig(o.cfg), gametest.Declarations(), settings)
	if err != nil {
		b.Fatal(err)
	}
	return c
}

// readsAll reads all plays of the player on every play, and counts them.
type readsAll struct {
	client *dynamodb.Client
}

func startReadsAll(b *testing.B, cfg aws.Config) consumer.Consumer {
	b.Helper()
	client := dynamodb.NewFromConfig(cfg)
	servertest.CreateTable(b, client, gametest.ScoreTable, "UserId", "Timestamp")
	return &readsAll{client}
}

// fill writes the earlier plays to the table that is read.
func (r *readsAll) fill(b *testing.B, plays int, play func(int) *change.Change) {
	b.Helper()
	const most = 25 // that DynamoDB takes at once
	for n := 0; n < plays; n += most {
		var puts []types.WriteRequest
		for i := n; i < min(n+most, plays); i++ {
			puts = append(puts, types.WriteRequest{PutRequest: &types.PutRequest{Item: play(i).New.AttributeValues()}})
		}
		if _, err := r.client.BatchWriteItem(b.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{gametest.ScoreTable: puts}}); err != nil {
			b.Fatal(err)
		}
	}
}

func (r *readsAll) ApplyBatch(ctx context.Context, batch []*change.Change) []error {
	errs := make([]error, len(batch))
	for i, c := range batch {
		user, err := c.Keys.String("UserId")
		if err != nil {
			errs[i] = err
			continue
		}
		pages := dynamodb.NewQueryPaginator(r.client, &dynamodb.QueryInput{
			TableName: aws.String(gametest.ScoreTable), KeyConditionExpression: aws.String("UserId = :user"),
			ExpressionAttributeValues: map[string]types.AttributeValue{":user": &types.AttributeValueMemberS{Value: user}},
		})
		for pages.HasMorePages() && errs[i] == nil {
			_, errs[i] = pages.NextPage(ctx)
		}
	}
	return errs
}
