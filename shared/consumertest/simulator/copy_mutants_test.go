package simulator_test

import (
	"testing"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumertest/simulator/mutant"
)

// TestEveryGuardOfCopiesIsNeeded takes the guards of the replica out, one at a time.
func TestEveryGuardOfCopiesIsNeeded(t *testing.T) {
	server := *servertest.DynamoDB(t).BaseEndpoint // one for all
	mutant.Run(t, mutant.Test{
		Name: "TestCopiesInterleaved|TestCopiesInEveryOrder",
		Env:  []string{servertest.DynamoDBVariable + "=" + server},
	}, []mutant.Mutant{
		{
			Name: "an older version is not put over a newer one",
			File: "copy_test.go",
			Old:  `aws.String("#v < :v")`,
			New:  `aws.String("attribute_exists(#v) OR #v < :v")`,
		},
		{
			Name: "an insert needs that no newer tombstone is left",
			File: "copy_test.go",
			Old:  `ConditionExpression:      aws.String("attribute_not_exists(#v) OR #v < :v"),`,
			New:  `ConditionExpression:      aws.String("attribute_not_exists(#v) OR attribute_exists(#v) OR #v < :v"),`,
		},
		{
			Name: "an insert is not put over anything",
			File: "copy_test.go",
			Old:  `aws.String("attribute_not_exists(#v)")`,
			New:  `aws.String("attribute_not_exists(#v) OR attribute_exists(#v)")`,
		},
		{
			Name: "the tombstone comes first",
			File: "copy_test.go",
			Old:  `{r.bury, r.deleteOlder}`,
			New:  `{r.deleteOlder, r.bury}`,
		},
		{
			Name: "an older tombstone doesn't replace a newer one",
			File: "copy_test.go",
			Old: `TableName: aws.String(tombstoneTable), Item: tombstone,
		ConditionExpression:       aws.String("attribute_not_exists(#v) OR #v < :v"),`,
			New: `TableName: aws.String(tombstoneTable), Item: tombstone,
		ConditionExpression:       aws.String("attribute_not_exists(#v) OR attribute_exists(#v) OR #v < :v"),`,
		},
		{
			Name: "an item newer than the remove stays",
			File: "copy_test.go",
			Old: `TableName: aws.String(copyTable), Key: key,
		ConditionExpression:       aws.String("attribute_not_exists(#v) OR #v < :v"),`,
			New: `TableName: aws.String(copyTable), Key: key,
		ConditionExpression:       aws.String("attribute_not_exists(#v) OR attribute_exists(#v) OR #v < :v"),`,
		},
	})
}
