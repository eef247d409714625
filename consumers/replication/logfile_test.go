package replication

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/consumers/replication/internal/store"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest/gametest"
)

// The seed's case: the log's table and its replica in the same region, with the
// index on the host.
func TestLogfile(t *testing.T) {
	w := newWorld(t)
	table := tableOf("logfile_replica", "PK", "S")
	table.AttributeDefinitions = append(table.AttributeDefinitions, types.AttributeDefinition{AttributeName: aws.String("GSI_1_PK"), AttributeType: "S"})
	table.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{{
		IndexName: aws.String("GSI_1"), KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("GSI_1_PK"), KeyType: "HASH"}},
		Projection: &types.Projection{ProjectionType: "INCLUDE", NonKeyAttributes: []string{"bytessent", "requestid", "host"}},
	}}
	w.create(servertest.Region, table)
	d := gametest.Declarations("SCORE_TABLE", "logfile", "REPLICA_TABLE", "logfile_replica", "REPLICA_REGION", servertest.Region)
	r, err := New(w.config, d, DefaultSettings())
	if err != nil {
		t.Fatal(err)
	}
	errs := r.ApplyBatch(t.Context(), []*change.Change{logChange(t, "104009", "66.249.67.3"), logChange(t, "104010", "66.249.67.3")})
	wantOutcomes(t, errs, consumer.Applied, consumer.Applied)
	out, err := w.client(servertest.Region).Query(t.Context(), &dynamodb.QueryInput{
		TableName: aws.String("logfile_replica"), IndexName: aws.String("GSI_1"), KeyConditionExpression: aws.String("GSI_1_PK = :h"),
		ExpressionAttributeValues: store.Item{":h": &types.AttributeValueMemberS{Value: "host#66.249.67.3"}},
	})
	if err != nil || len(out.Items) != 2 {
		t.Errorf("the index has %v, %v", out, err)
	}
}
