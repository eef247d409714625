package simulator

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Recreate makes DynamoDB tables, empty: what a Suite's Setup needs. A table of
// the same name that is there already must have the same keys and indexes. It
// stays and is emptied, which takes a tenth of the time.
func Recreate(ctx context.Context, cfg aws.Config, tables ...*dynamodb.CreateTableInput) error {
	client := dynamodb.NewFromConfig(cfg)
	for _, table := range tables {
		_, err := client.CreateTable(ctx, table)
		if _, exists := errors.AsType[*types.ResourceInUseException](err); exists {
			err = empty(ctx, client, table)
		}
		if err != nil {
			return fmt.Errorf("make table %s: %w", *table.TableName, err)
		}
	}
	return nil
}

// empty removes all items of a table.
func empty(ctx context.Context, client *dynamodb.Client, table *dynamodb.CreateTableInput) error {
	const most = 25 // that DynamoDB removes at once
	for {
		page, err := client.Scan(ctx, &dynamodb.ScanInput{TableName: table.TableName, ConsistentRead: aws.Bool(true), Limit: aws.Int32(most)})
		if err != nil {
			return err
		}
		var removals []types.WriteRequest
		for _, item := range page.Items {
			key := map[string]types.AttributeValue{}
			for _, k := range table.KeySchema {
				key[*k.AttributeName] = item[*k.AttributeName]
			}
			removals = append(removals, types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: key}})
		}
		if len(removals) == 0 {
			return nil
		}
		// What isn't processed, the next scan finds.
		if _, err := client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{*table.TableName: removals}}); err != nil {
			return err
		}
	}
}
