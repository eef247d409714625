package audit

import (
	"context"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/simulator"
)

func TestMain(m *testing.M) { servertest.Main(m) }

var settings = Settings{SourceTable: "Source", Table: "Destination"}

// TestSimulator delivers random histories of the source table in every way that the stream may, with crashes and lost
// answers in between. In the end the destination must hold what want says.
func TestSimulator(t *testing.T) {
	simulator.Run(t, simulator.Suite{
		Name:      "audit",
		Workload:  source,
		Database:  servertest.DynamoDB,
		Setup:     createTable,
		New:       newConsumer,
		Read:      read,
		Want:      want,
		Schedules: 50,
	})
}

// source is the source table: what its items look like.
var source = simulator.Workload{
	Table: settings.SourceTable,
	Key: func(group, n int) consumertest.Item {
		return consumertest.Item{"Id": consumertest.S(fmt.Sprintf("item %d-%d", group, n))}
	},
	Attributes: func(draw *rapid.T, _ int) consumertest.Item {
		return consumertest.Item{"Text": consumertest.S(simulator.Names().Draw(draw, "text"))}
	},
}

// want returns an entry for each change, by the item and the time.
func want(changes []consumertest.Change) map[string]string {
	held := map[string]string{}
	for _, c := range changes {
		held[c.Key()+" at "+c.Written().UTC().Format("2006-01-02T15:04:05.000000Z")] = fmt.Sprint(texts(c.Old), " → ", texts(c.New))
	}
	return held
}

func texts(image consumertest.Item) map[string]string {
	texts := map[string]string{}
	for name, value := range image {
		texts[name] = value.Text()
	}
	return texts
}

// words tells an entry. A second one of the same change would have the same name, and be noticed.
func words(item map[string]types.AttributeValue) (name, text string, err error) {
	var entry struct {
		At                  string
		Keys, Before, After map[string]string
	}
	err = attributevalue.UnmarshalMap(item, &entry)
	return entry.Keys["Id"] + " at " + entry.At, fmt.Sprint(entry.Before, " → ", entry.After), err
}

func newConsumer(cfg aws.Config) (consumer.Consumer, error) {
	writer, err := New(dynamodb.NewFromConfig(cfg), settings)
	if err != nil {
		return nil, err
	}
	return consumer.Each(writer), nil
}

// createTable makes the destination, with the keys that it has in template.yaml.
func createTable(ctx context.Context, cfg aws.Config) error {
	return simulator.Recreate(ctx, cfg, &dynamodb.CreateTableInput{
		TableName: &settings.Table, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("Id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("Id"), KeyType: types.KeyTypeHash}},
	})
}

// read returns what the destination holds.
func read(ctx context.Context, cfg aws.Config) (map[string]string, error) {
	held := map[string]string{}
	pages := dynamodb.NewScanPaginator(dynamodb.NewFromConfig(cfg), &dynamodb.ScanInput{TableName: &settings.Table, ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, item := range page.Items {
			name, text, err := words(item)
			if err != nil {
				return nil, err
			}
			if other, twice := held[name]; twice {
				text = other + " and " + text // which want never says
			}
			held[name] = text
		}
	}
	return held, nil
}
