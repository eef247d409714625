package servertest_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"sluice/deploy/local/servers/servertest"
)

// Fails for a server that is shared without a database for each test.
func TestDynamoDBIsolatesTests(t *testing.T) {
	for range 2 {
		client := dynamodb.NewFromConfig(servertest.DynamoDB(t))
		if _, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
			TableName:            new("Table"),
			BillingMode:          types.BillingModePayPerRequest,
			AttributeDefinitions: []types.AttributeDefinition{{AttributeName: new("K"), AttributeType: types.ScalarAttributeTypeS}},
			KeySchema:            []types.KeySchemaElement{{AttributeName: new("K"), KeyType: types.KeyTypeHash}},
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// Fails for a server that is shared without an account for each test, or one that lacks a service.
func TestMinistackIsolatesTests(t *testing.T) {
	for range 2 {
		config := servertest.Ministack(t)
		if _, err := kinesis.NewFromConfig(config).CreateStream(t.Context(), &kinesis.CreateStreamInput{
			StreamName: new("stream"), ShardCount: new(int32(1)),
		}); err != nil {
			t.Fatal(err)
		}
		queues := sqs.NewFromConfig(config)
		if _, err := queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: new("queue")}); err != nil {
			t.Fatal(err)
		}
		list, err := queues.ListQueues(t.Context(), &sqs.ListQueuesInput{})
		if err != nil {
			t.Fatal(err)
		}
		if len(list.QueueUrls) != 1 {
			t.Errorf("queues %v, want one", list.QueueUrls)
		}
		topics := sns.NewFromConfig(config)
		if _, err := topics.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: new("topic")}); err != nil {
			t.Fatal(err)
		}
		listed, err := topics.ListTopics(t.Context(), &sns.ListTopicsInput{})
		if err != nil {
			t.Fatal(err)
		}
		if len(listed.Topics) != 1 {
			t.Errorf("topics %v, want one", listed.Topics)
		}
		servertest.CreateBucket(t, s3.NewFromConfig(config))
	}
}
