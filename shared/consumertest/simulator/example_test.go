package simulator_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/simulator"
)

// shelves is the consumer to be tested: it keeps a copy of each book. A put goes
// through only over an older version, and a removed book leaves its version
// behind, so that nothing older can bring it back.
type shelves struct{ client *dynamodb.Client }

func newShelves(cfg aws.Config) (consumer.Consumer, error) {
	return consumer.Each(shelves{dynamodb.NewFromConfig(cfg)}), nil
}

func (s shelves) Apply(ctx context.Context, c *change.Change) error {
	isbn, err := c.Keys.String("Isbn")
	if err != nil {
		return consumer.Reject(err)
	}
	version := &types.AttributeValueMemberN{Value: strconv.FormatInt(c.Version, 10)}
	item := map[string]types.AttributeValue{"Isbn": &types.AttributeValueMemberS{Value: isbn}, "Version": version}
	if c.New.Exists() {
		pages, err := c.New.Number("Pages")
		if err != nil {
			return consumer.Reject(err)
		}
		item["Pages"] = &types.AttributeValueMemberN{Value: pages}
	}
	_, err = s.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: aws.String("Copy"), Item: item,
		ConditionExpression:       aws.String("attribute_not_exists(Version) OR Version < :version"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":version": version},
	})
	if refused(err) {
		return consumer.Stale
	}
	return err
}

// books says what the items of the table look like.
var books = simulator.Workload{
	Table: "Books",
	Key: func(group, n int) consumertest.Item {
		return consumertest.Item{"Isbn": consumertest.S(fmt.Sprintf("book %d-%d", group, n))}
	},
	Attributes: func(t *rapid.T, _ int) consumertest.Item {
		return consumertest.Item{
			"Pages": consumertest.N(simulator.Numbers().Draw(t, "pages")),
			"Title": consumertest.S(simulator.Names().Draw(t, "title")),
			"Cover": consumertest.B(simulator.Bytes().Draw(t, "cover")),
		}
	},
}

func createTables(ctx context.Context, cfg aws.Config) error {
	return simulator.Recreate(ctx, cfg, &dynamodb.CreateTableInput{
		TableName: aws.String("Copy"), BillingMode: "PAY_PER_REQUEST",
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("Isbn"), AttributeType: "S"}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("Isbn"), KeyType: "HASH"}},
	})
}

// readShelves returns the pages of each book that the copy holds.
func readShelves(ctx context.Context, cfg aws.Config) (map[string]string, error) {
	out, err := dynamodb.NewFromConfig(cfg).Scan(ctx, &dynamodb.ScanInput{TableName: aws.String("Copy")})
	if err != nil {
		return nil, err
	}
	books := map[string]string{}
	for _, item := range out.Items {
		if pages, ok := item["Pages"].(*types.AttributeValueMemberN); ok {
			books[item["Isbn"].(*types.AttributeValueMemberS).Value] = number(pages.Value)
		}
	}
	return books, nil
}

// wantShelves returns the pages of each book that the changes leave.
func wantShelves(changes []consumertest.Change) map[string]string {
	want := map[string]string{}
	for isbn, book := range simulator.Items(changes) {
		want[isbn] = number(book["Pages"].Text())
	}
	return want
}

var shelvesSuite = simulator.Suite{
	Name:      "shelves",
	Workload:  books,
	Database:  servertest.DynamoDB,
	Setup:     createTables,
	New:       newShelves,
	Read:      readShelves,
	Want:      wantShelves,
	Schedules: 50,
}

func ExampleRun() {
	var t *testing.T // that of TestSimulator
	if t != nil {
		simulator.Run(t, shelvesSuite)
	}
}

// A consumer that is right passes.
func TestSimulator(t *testing.T) { simulator.Run(t, shelvesSuite) }
