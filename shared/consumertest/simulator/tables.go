package simulator

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Recreate makes DynamoDB tables, after deleting those of the same names: what
// a Suite's Setup needs.
func Recreate(ctx context.Context, cfg aws.Config, tables ...*dynamodb.CreateTableInput) error {
	client := dynamodb.NewFromConfig(cfg)
	for _, table := range tables {
		_, err := client.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: table.TableName})
		if _, missing := errors.AsType[*types.ResourceNotFoundException](err); err != nil && !missing {
			return fmt.Errorf("delete table %s: %w", *table.TableName, err)
		}
		if _, err := client.CreateTable(ctx, table); err != nil {
			return fmt.Errorf("create table %s: %w", *table.TableName, err)
		}
	}
	return nil
}
