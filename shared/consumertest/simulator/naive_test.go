package simulator_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
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

func TestMain(m *testing.M) {
	flag.Parse()
	// A failure need not be the very shortest here.
	if err := flag.Set("rapid.shrinktime", "4s"); err != nil {
		panic(err)
	}
	servertest.Main(m)
}

// The handlers that people write first. The simulator must tell what is wrong
// with each, soon.
func TestNaiveHandlersAreCaught(t *testing.T) {
	for _, test := range []struct {
		name  string
		suite simulator.Suite
		says  []string // one of them, about the first thing that is wrong
	}{
		{"plain ADD", sums(func(c *dynamodb.Client) consumer.Applier { return plainAdd{c} }), []string{"doubled"}},
		{"unconditional put and delete", copies(func(c *dynamodb.Client) consumer.Applier { return plainCopy{c} }), []string{"resurrected", "lost"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.suite.Schedules, test.suite.Seed = 20, 1
			failure, ran := simulator.Find(t, test.suite)
			if failure == nil {
				t.Fatalf("%d schedules found nothing wrong", ran)
			}
			t.Logf("after %d schedules:\n%s", ran, failure)
			for _, reason := range test.says {
				if strings.HasPrefix(failure.Problems[0], reason) {
					return
				}
			}
			t.Errorf("the reason is %q, want %q", failure.Problems[0], test.says)
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
	s := copies(naive)
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

// copies is a consumer that keeps a copy of the table.
func copies(naive func(*dynamodb.Client) consumer.Applier) simulator.Suite {
	s := shelvesSuite
	s.Name = "copy"
	s.New = func(cfg aws.Config) (consumer.Consumer, error) {
		return consumer.Each(naive(dynamodb.NewFromConfig(cfg))), nil
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

func refused(err error) bool {
	_, ok := errors.AsType[*types.ConditionalCheckFailedException](err)
	return ok
}

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
	isbn, err := c.Keys.String("Isbn")
	if err != nil {
		return consumer.Reject(err)
	}
	key := map[string]types.AttributeValue{"Isbn": &types.AttributeValueMemberS{Value: isbn}}
	if !c.New.Exists() {
		_, err = p.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String("Copy"), Key: key})
		return err
	}
	pages, err := c.New.Number("Pages")
	if err != nil {
		return consumer.Reject(err)
	}
	key["Pages"] = &types.AttributeValueMemberN{Value: pages}
	_, err = p.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("Copy"), Item: key})
	return err
}
