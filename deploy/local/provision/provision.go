// Package provision makes on local servers what a template asks for.
package provision

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"sluice/deploy/local/template"
)

// activeTimeout is how long a new table or stream may take until it can be used.
const activeTimeout = 30 * time.Second

// Clients are those of local servers, for one region.
type Clients struct {
	DynamoDB *dynamodb.Client
	Kinesis  *kinesis.Client
	SQS      *sqs.Client
	SNS      *sns.Client
	S3       *s3.Client
	Region   string
}

// NewClients returns the clients for the region of the configurations: of DynamoDB's server, and of all others'.
func NewClients(dynamoDB, rest aws.Config) Clients {
	return Clients{
		DynamoDB: dynamodb.NewFromConfig(dynamoDB),
		Kinesis:  kinesis.NewFromConfig(rest),
		SQS:      sqs.NewFromConfig(rest),
		SNS:      sns.NewFromConfig(rest),
		S3:       s3.NewFromConfig(rest, func(o *s3.Options) { o.UsePathStyle = true }),
		Region:   rest.Region,
	}
}

// Create makes all resources of a template that hold something: not its functions and their roles. They must not exist.
func (c Clients) Create(ctx context.Context, resources *template.Resources) error {
	for _, table := range resources.Tables {
		if err := c.createTable(ctx, table); err != nil {
			return fmt.Errorf("create table %s (%s): %w", table.Name, table.LogicalID, err)
		}
	}
	for _, stream := range resources.Streams {
		if err := c.createStream(ctx, stream); err != nil {
			return fmt.Errorf("create stream %s (%s): %w", stream.Name, stream.LogicalID, err)
		}
	}
	for _, queue := range resources.Queues {
		input := &sqs.CreateQueueInput{QueueName: &queue.Name}
		if queue.FIFO {
			input.Attributes = map[string]string{"FifoQueue": "true"}
		}
		created, err := c.SQS.CreateQueue(ctx, input)
		if err == nil && *created.QueueUrl != queue.URL {
			// Functions have been told the other one.
			err = fmt.Errorf("its URL is %s, want %s", *created.QueueUrl, queue.URL)
		}
		if err != nil {
			return fmt.Errorf("create queue %s (%s): %w", queue.Name, queue.LogicalID, err)
		}
	}
	for _, topic := range resources.Topics {
		if err := c.createTopic(ctx, topic); err != nil {
			return fmt.Errorf("create topic %s (%s): %w", topic.Name, topic.LogicalID, err)
		}
	}
	for _, subscription := range resources.Subscriptions {
		if err := c.subscribe(ctx, subscription); err != nil {
			return fmt.Errorf("subscribe %s to %s (%s): %w", subscription.QueueARN, subscription.TopicARN, subscription.LogicalID, err)
		}
	}
	for _, bucket := range resources.Buckets {
		input := &s3.CreateBucketInput{Bucket: &bucket.Name}
		if c.Region != "us-east-1" { // the one region that must not be named
			input.CreateBucketConfiguration = &s3types.CreateBucketConfiguration{
				LocationConstraint: s3types.BucketLocationConstraint(c.Region),
			}
		}
		if _, err := c.S3.CreateBucket(ctx, input); err != nil {
			return fmt.Errorf("create bucket %s (%s): %w", bucket.Name, bucket.LogicalID, err)
		}
	}
	return nil
}

func (c Clients) createTable(ctx context.Context, table template.Table) error {
	input := &dynamodb.CreateTableInput{
		TableName:              &table.Name,
		AttributeDefinitions:   table.Attributes,
		KeySchema:              table.Keys,
		GlobalSecondaryIndexes: table.Indexes,
		BillingMode:            types.BillingModePayPerRequest,
	}
	if table.Changes != nil {
		// What the bridge reads; on AWS the Kinesis destination needs no DynamoDB stream.
		input.StreamSpecification = &types.StreamSpecification{
			StreamEnabled: new(true), StreamViewType: types.StreamViewTypeNewAndOldImages,
		}
	}
	if _, err := c.DynamoDB.CreateTable(ctx, input); err != nil {
		return err
	}
	waiter := dynamodb.NewTableExistsWaiter(c.DynamoDB, func(o *dynamodb.TableExistsWaiterOptions) { o.MinDelay = 20 * time.Millisecond })
	if err := waiter.Wait(ctx, &dynamodb.DescribeTableInput{TableName: &table.Name}, activeTimeout); err != nil {
		return err
	}
	if table.TTLAttribute == "" {
		return nil
	}
	_, err := c.DynamoDB.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName:               &table.Name,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: &table.TTLAttribute, Enabled: new(true)},
	})
	return err
}

func (c Clients) createStream(ctx context.Context, stream template.Stream) error {
	if _, err := c.Kinesis.CreateStream(ctx, &kinesis.CreateStreamInput{
		StreamName: &stream.Name, ShardCount: new(int32(stream.Shards)),
	}); err != nil {
		return err
	}
	waiter := kinesis.NewStreamExistsWaiter(c.Kinesis, func(o *kinesis.StreamExistsWaiterOptions) { o.MinDelay = 20 * time.Millisecond })
	return waiter.Wait(ctx, &kinesis.DescribeStreamInput{StreamName: &stream.Name}, activeTimeout)
}
