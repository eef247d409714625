package simulator_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/simulator"
)

func TestMain(m *testing.M) { servertest.Main(m) }

// The handlers that people write first. The simulator must tell each thing that
// is wrong with them, soon.
func TestNaiveHandlersAreCaught(t *testing.T) {
	adds := sums(func(c *dynamodb.Client) consumer.Applier { return plainAdd{c} })
	looks := copies(keyedTables[0], func(c *dynamodb.Client) consumer.Applier { return looksAfterwards{replica{c}} })
	puts := copies(keyedTables[0], func(c *dynamodb.Client) consumer.Applier { return plainCopy{c} })
	for _, test := range []struct {
		name  string
		suite simulator.Suite
		kind  simulator.Kind
	}{
		{"plain ADD counts a repeat twice", adds, simulator.Doubled},
		{"unconditional put leaves an older item over a newer one", puts, simulator.Lost},
		{"unconditional put brings a deleted item back", puts, simulator.Resurrected},
		{"a put that arrives late has nobody to look for a tombstone afterwards", looks, simulator.Resurrected},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.suite.Schedules, test.suite.Seed = 20, 1
			failure, ran := simulator.Find(t, test.suite, test.kind)
			if failure == nil {
				t.Fatalf("%d schedules found nothing %v", ran, test.kind)
			}
			t.Logf("after %d schedules:\n%s", ran, failure)
		})
	}
}

// few are books of few pages, whose sum a number can hold.
func few() simulator.Workload {
	few := books
	few.Attributes = func(t *rapid.T, _ int) consumertest.Item {
		return consumertest.Item{"Pages": consumertest.N(fmt.Sprint(rapid.IntRange(1, 9).Draw(t, "pages")))}
	}
	return few
}

// sums is a consumer that keeps the sum of all pages.
func sums(naive func(*dynamodb.Client) consumer.Applier) simulator.Suite {
	s := shelvesSuite
	s.New = func(cfg aws.Config) (consumer.Consumer, error) {
		return consumer.Each(naive(dynamodb.NewFromConfig(cfg))), nil
	}
	s.Name, s.Workload, s.Read = "pages", few(), readTotal
	s.Want = func(changes []consumertest.Change) map[string]string {
		var total decimal.Decimal
		for _, c := range changes {
			if c.New != nil {
				total = total.Add(decimal.RequireFromString(c.New["Pages"].Text()))
			}
			if c.Old != nil {
				total = total.Sub(decimal.RequireFromString(c.Old["Pages"].Text()))
			}
		}
		return map[string]string{"total": total.String()}
	}
	return s
}

// readTotal reads the one sum.
func readTotal(ctx context.Context, cfg aws.Config) (map[string]string, error) {
	items, err := readShelves(ctx, cfg)
	if _, ok := items["total"]; !ok && err == nil {
		items["total"] = "0"
	}
	return items, err
}

// number writes a number in the one form that it has.
func number(text string) string { return decimal.RequireFromString(text).String() }

// plainAdd is the handler of most leaderboards: every change is added as it comes.
type plainAdd struct{ client *dynamodb.Client }

func (p plainAdd) Apply(ctx context.Context, c *change.Change) error {
	var amount decimal.Decimal
	for _, image := range []struct {
		change.Image
		sign int64
	}{{c.New, 1}, {c.Old, -1}} {
		if !image.Exists() {
			continue
		}
		pages, err := image.Number("Pages")
		if err != nil {
			return consumer.Reject(err)
		}
		amount = amount.Add(decimal.RequireFromString(pages).Mul(decimal.NewFromInt(image.sign)))
	}
	_, err := p.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                 aws.String("Copy"),
		Key:                       map[string]types.AttributeValue{"Isbn": &types.AttributeValueMemberS{Value: "total"}},
		UpdateExpression:          aws.String("ADD Pages :n"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":n": &types.AttributeValueMemberN{Value: amount.String()}},
	})
	return err
}

// plainCopy is the handler of most replications: what comes last wins.
type plainCopy struct{ client *dynamodb.Client }

func (p plainCopy) Apply(ctx context.Context, c *change.Change) error {
	if !c.New.Exists() {
		_, err := p.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String(copyTable), Key: c.Keys.AttributeValues()})
		return err
	}
	_, err := p.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(copyTable), Item: c.New.AttributeValues()})
	return err
}

// looksAfterwards puts an item where there is none or an older one, and then looks
// for a newer tombstone. That is right as long as no call arrives late.
type looksAfterwards struct{ replica }

func (l looksAfterwards) Apply(ctx context.Context, c *change.Change) error {
	if !c.New.Exists() {
		return l.replica.Apply(ctx, c)
	}
	item := c.New.AttributeValues()
	item[attrVersion] = number64(c.Version)
	_, err := l.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: aws.String(copyTable), Item: item,
		ConditionExpression:       aws.String("attribute_not_exists(#v) OR #v < :v"),
		ExpressionAttributeNames:  map[string]string{"#v": attrVersion},
		ExpressionAttributeValues: map[string]types.AttributeValue{":v": item[attrVersion]},
	})
	if err != nil && !refused(err) {
		return err
	}
	key := c.Keys.AttributeValues()
	out, err := l.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(tombstoneTable), Key: key, ConsistentRead: aws.Bool(true)})
	if err != nil || out.Item == nil {
		return err
	}
	return l.deleteOlder(ctx, key, out.Item[attrVersion])
}
