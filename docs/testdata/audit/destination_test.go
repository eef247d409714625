package audit

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/shared/consumertest"
	"sluice/shared/consumertest/simulator"
)

const table = "Destination"

func settings(aws.Config) Settings { return Settings{SourceTable: source.Table, Table: table} }

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

// setup makes the destination, with the keys that it has in template.yaml.
func setup(ctx context.Context, cfg aws.Config) error {
	return simulator.Recreate(ctx, cfg, &dynamodb.CreateTableInput{
		TableName: aws.String(table), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("Id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("Id"), KeyType: types.KeyTypeHash}},
	})
}

// read returns what the destination holds.
func read(ctx context.Context, cfg aws.Config) (map[string]string, error) {
	held := map[string]string{}
	pages := dynamodb.NewScanPaginator(dynamodb.NewFromConfig(cfg), &dynamodb.ScanInput{TableName: aws.String(table), ConsistentRead: aws.Bool(true)})
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
