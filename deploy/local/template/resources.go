package template

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Resources is a resolved template: everything to create, and its outputs. Lists are in the template's order.
type Resources struct {
	Tables  []Table
	Streams []Stream
	// StreamConsumers aren't made here: a mapping that names one has the stream's ARN instead.
	StreamConsumers []StreamConsumer
	Queues          []Queue
	Topics          []Topic
	// Subscriptions may be to topics of other templates.
	Subscriptions []Subscription
	Buckets       []Bucket
	Functions     []Function
	// Roles aren't made here: the local servers ask nobody for rights.
	Roles []Role
	// Applications aren't made here: the local stack runs the templates themselves.
	Applications []Application
	// Alarms aren't made here. They are known for what is written about them.
	Alarms  []Alarm
	Outputs map[string]string // by name
}

// Table is an AWS::DynamoDB::Table.
type Table struct {
	LogicalID    string
	Name         string
	Attributes   []types.AttributeDefinition
	Keys         []types.KeySchemaElement
	Indexes      []types.GlobalSecondaryIndex
	TTLAttribute string   // holds when an item expires; empty: items don't
	Key          string   // the KMS key of somebody's own that it is encrypted with; empty: AWS's
	Changes      *Changes // where the table's changes go; nil: nowhere
}

// Changes is a table's KinesisStreamSpecification.
type Changes struct {
	StreamARN string
	Precision string // MICROSECOND, MILLISECOND or, if the template does not say, empty
}

// Stream is an AWS::Kinesis::Stream.
type Stream struct {
	LogicalID string
	Name      string
	ARN       string
	Shards    int
	Key       string        // the KMS key that it is encrypted with, or the key's alias; empty: it isn't
	Retention time.Duration // how long the stream keeps a record
}

// Queue is an AWS::SQS::Queue.
type Queue struct {
	LogicalID string
	Name      string
	URL       string
	// FIFO queues keep the order of a message group, and drop a message that repeats one of the last five minutes.
	FIFO bool
}

// Bucket is an AWS::S3::Bucket.
type Bucket struct {
	LogicalID string
	Name      string
}

type resourceType struct {
	nameProperty string
	global       bool // a name is taken in all regions, and in lower case; so one made from the logical id has the region in it
	// fifoProperty is true in a resource whose name must end in .fifo; so one made from the logical id does.
	fifoProperty string
	// makesRole is whether SAM makes a role for it, unless its property Role names one; the template may refer to it.
	makesRole bool
	// refer gives what Ref and Fn::GetAtt stand for; a Ref that is empty isn't known before the resource is made.
	refer func(scope Scope, name string) (ref string, attributes map[string]string)
	// lateAttributes gives what further attributes stand for, if there are any; ok: the attribute is one.
	lateAttributes func(logicalID, attribute string) (value string, ok bool)
	decode         func(d decoder, resource named, properties node, into *Resources)
}

const tableType = "AWS::DynamoDB::Table"

// resourceTypes has all types that are understood. Filled by init, since their functions refer to it.
var resourceTypes map[string]resourceType

func init() {
	resourceTypes = map[string]resourceType{
		tableType: {
			nameProperty: "TableName",
			refer: func(s Scope, name string) (string, map[string]string) {
				return name, map[string]string{"Arn": s.arn("dynamodb", "table/"+name)}
			},
			decode: decodeTable,
		},
		"AWS::Kinesis::Stream": {
			nameProperty: "Name",
			refer: func(s Scope, name string) (string, map[string]string) {
				return name, map[string]string{"Arn": s.arn("kinesis", "stream/"+name)}
			},
			decode: func(d decoder, r named, properties node, into *Resources) {
				p := d.object(properties, r.logicalID, []string{"Name", "ShardCount", "RetentionPeriodHours", "StreamEncryption"},
					[]string{"StreamModeDetails", "Tags"})
				encryption := d.object(p.get("StreamEncryption"), r.logicalID+": StreamEncryption", []string{"KeyId"}, []string{"EncryptionType"})
				into.Streams = append(into.Streams, Stream{
					LogicalID: r.logicalID, Name: r.name, ARN: r.attributes["Arn"],
					Shards:    d.integer(p.get("ShardCount"), r.logicalID+": ShardCount", 1, 1, 500),
					Retention: d.retention(p.get("RetentionPeriodHours"), r.logicalID),
					Key:       d.optional(encryption.get("KeyId"), r.logicalID+": KeyId"),
				})
			},
		},
		"AWS::SQS::Queue": {
			nameProperty: "QueueName",
			fifoProperty: "FifoQueue",
			refer: func(s Scope, name string) (string, map[string]string) {
				url := s.QueueEndpoint + "/" + s.AccountID + "/" + name
				return url, map[string]string{"Arn": s.arn("sqs", name), "QueueName": name, "QueueUrl": url}
			},
			decode: func(d decoder, r named, properties node, into *Resources) {
				p := d.object(properties, r.logicalID, []string{"QueueName", "FifoQueue"}, []string{"DeduplicationScope", "FifoThroughputLimit",
					"KmsDataKeyReusePeriodSeconds", "KmsMasterKeyId", "MessageRetentionPeriod", "ReceiveMessageWaitTimeSeconds", "SqsManagedSseEnabled", "Tags", "VisibilityTimeout"})
				queue := Queue{LogicalID: r.logicalID, Name: r.name, URL: r.ref, FIFO: d.boolean(p.get("FifoQueue"), r.logicalID+": FifoQueue", false)}
				if queue.FIFO != strings.HasSuffix(queue.Name, fifoSuffix) {
					d.add(r.at, "%s: QueueName = %q must end in %s with FifoQueue true, and only then", r.logicalID, queue.Name, fifoSuffix)
				}
				into.Queues = append(into.Queues, queue)
			},
		},
		"AWS::S3::Bucket": {
			nameProperty: "BucketName",
			global:       true,
			refer: func(_ Scope, name string) (string, map[string]string) {
				return name, map[string]string{"Arn": "arn:aws:s3:::" + name}
			},
			decode: func(d decoder, r named, properties node, into *Resources) {
				d.object(properties, r.logicalID, []string{"BucketName"}, []string{"BucketEncryption", "LifecycleConfiguration",
					"OwnershipControls", "PublicAccessBlockConfiguration", "Tags"})
				into.Buckets = append(into.Buckets, Bucket{LogicalID: r.logicalID, Name: r.name})
			},
		},
		functionType: {
			nameProperty: "FunctionName",
			makesRole:    true,
			refer: func(s Scope, name string) (string, map[string]string) {
				return name, map[string]string{"Arn": s.arn("lambda", "function:"+name)}
			},
			decode: decodeFunction,
		},
		roleType:                          {nameProperty: "RoleName", refer: roleReference, decode: decodeRole},
		"AWS::Kinesis::StreamConsumer":    streamConsumerType,
		"AWS::SNS::Topic":                 topicType,
		"AWS::SNS::Subscription":          subscriptionType,
		"AWS::SNS::TopicPolicy":           passedOver("PolicyDocument", "Topics"),
		"AWS::SQS::QueuePolicy":           passedOver("PolicyDocument", "Queues"),
		"AWS::S3::BucketPolicy":           passedOver("Bucket", "PolicyDocument"),
		"AWS::Logs::LogGroup":             logGroupType,
		"AWS::CloudWatch::Alarm":          alarmType,
		"AWS::CloudWatch::CompositeAlarm": alarmType,
		"AWS::CloudWatch::Dashboard":      passedOver("DashboardBody", "DashboardName"),
		"AWS::Serverless::Application":    applicationType,
	}
}

// retention is how long the stream with a logical id keeps a record; by default 24 hours:
// https://docs.aws.amazon.com/streams/latest/dev/kinesis-extended-retention.html
func (d decoder) retention(n node, id string) time.Duration {
	return time.Duration(d.integer(n, id+": RetentionPeriodHours", 24, 24, 8760)) * time.Hour
}

func decodeTable(d decoder, r named, properties node, into *Resources) {
	id := r.logicalID
	p := d.object(properties, id,
		[]string{"TableName", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "TimeToLiveSpecification", "KinesisStreamSpecification", "SSESpecification"},
		[]string{"BillingMode", "DeletionProtectionEnabled", "OnDemandThroughput", "PointInTimeRecoverySpecification",
			"ProvisionedThroughput", "TableClass", "Tags"})
	table := Table{LogicalID: id, Name: r.name, Keys: d.keys(p.get("KeySchema"), id+": KeySchema")}
	if len(table.Keys) == 0 {
		d.add(r.at, "%s has no KeySchema", id)
	}
	encryption := d.object(p.get("SSESpecification"), id+": SSESpecification", []string{"KMSMasterKeyId"}, []string{"SSEEnabled", "SSEType"})
	table.Key = d.optional(encryption.get("KMSMasterKeyId"), id+": KMSMasterKeyId")
	for _, item := range d.items(p.get("AttributeDefinitions"), id+": AttributeDefinitions") {
		fields := d.object(item, id+": AttributeDefinitions", []string{"AttributeName", "AttributeType"}, nil)
		name := d.text(fields.get("AttributeName"), id+": AttributeName")
		table.Attributes = append(table.Attributes, types.AttributeDefinition{
			AttributeName: &name,
			AttributeType: types.ScalarAttributeType(d.choice(fields.get("AttributeType"), id+": AttributeType", "S", "N", "B")),
		})
	}
	for _, item := range d.items(p.get("GlobalSecondaryIndexes"), id+": GlobalSecondaryIndexes") {
		table.Indexes = append(table.Indexes, d.index(item, id))
	}
	if ttl := d.object(p.get("TimeToLiveSpecification"), id+": TimeToLiveSpecification", []string{"AttributeName", "Enabled"}, nil); ttl.kind == object {
		attribute := d.text(ttl.get("AttributeName"), id+": TimeToLiveSpecification: AttributeName")
		if d.boolean(ttl.get("Enabled"), id+": TimeToLiveSpecification: Enabled", false) {
			table.TTLAttribute = attribute
		}
	}
	if changes := d.object(p.get("KinesisStreamSpecification"), id+": KinesisStreamSpecification",
		[]string{"StreamArn", "ApproximateCreationDateTimePrecision"}, nil); changes.kind == object {
		table.Changes = &Changes{StreamARN: d.text(changes.get("StreamArn"), id+": StreamArn")}
		if precision := changes.get("ApproximateCreationDateTimePrecision"); precision.kind != null {
			table.Changes.Precision = d.choice(precision, id+": ApproximateCreationDateTimePrecision", "MICROSECOND", "MILLISECOND")
		}
	}
	into.Tables = append(into.Tables, table)
}

func (d decoder) keys(n node, what string) []types.KeySchemaElement {
	var keys []types.KeySchemaElement
	for _, item := range d.items(n, what) {
		fields := d.object(item, what, []string{"AttributeName", "KeyType"}, nil)
		name := d.text(fields.get("AttributeName"), what+": AttributeName")
		keys = append(keys, types.KeySchemaElement{
			AttributeName: &name,
			KeyType:       types.KeyType(d.choice(fields.get("KeyType"), what+": KeyType", "HASH", "RANGE")),
		})
	}
	return keys
}

func (d decoder) index(n node, table string) types.GlobalSecondaryIndex {
	fields := d.object(n, table+": GlobalSecondaryIndexes", []string{"IndexName", "KeySchema", "Projection"},
		[]string{"OnDemandThroughput", "ProvisionedThroughput"})
	name := d.text(fields.get("IndexName"), table+": IndexName")
	what := table + ": index " + name
	projection := d.object(fields.get("Projection"), what+": Projection", []string{"ProjectionType", "NonKeyAttributes"}, nil)
	index := types.GlobalSecondaryIndex{
		IndexName: &name,
		KeySchema: d.keys(fields.get("KeySchema"), what+": KeySchema"),
		Projection: &types.Projection{
			ProjectionType: types.ProjectionType(d.choice(projection.get("ProjectionType"), what+": ProjectionType", "ALL", "INCLUDE", "KEYS_ONLY")),
		},
	}
	for _, attribute := range d.items(projection.get("NonKeyAttributes"), what+": NonKeyAttributes") {
		index.Projection.NonKeyAttributes = append(index.Projection.NonKeyAttributes, d.text(attribute, what+": NonKeyAttributes"))
	}
	return index
}
