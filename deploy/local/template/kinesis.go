package template

import "time"

// Endless is the value of [KinesisMapping.MaximumRetryAttempts] and
// [KinesisMapping.MaximumRecordAge] that sets no limit, as -1 does for Lambda.
const Endless = -1

// StartingPosition says where in the stream a mapping that has no checkpoint yet starts to read.
type StartingPosition string

// The starting positions that Lambda knows for a Kinesis stream.
const (
	TrimHorizon StartingPosition = "TRIM_HORIZON"
	Latest      StartingPosition = "LATEST"
	AtTimestamp StartingPosition = "AT_TIMESTAMP"
)

// KinesisMapping is the settings of one Lambda event source mapping on a Kinesis stream, as a function's event
// of type Kinesis gives them. What the template leaves out has the default that Lambda documents in
// https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html, and every value is within the
// limits given there.
type KinesisMapping struct {
	// Name is the event's name in the function's Events.
	Name string
	// Stream is the ARN of the stream.
	Stream string
	// Enabled is true unless the template says otherwise; a disabled mapping reads nothing.
	Enabled bool
	// StartingPosition has no default: a template must give it.
	StartingPosition StartingPosition
	// StartingPositionTimestamp is set if and only if StartingPosition is AtTimestamp.
	StartingPositionTimestamp time.Time
	// BatchSize is the most records that one invocation gets: 1 to 10,000, 100 by default. The limit of 6 MB on
	// the payload may make it fewer.
	BatchSize int
	// BatchingWindow is how long to gather records for a batch: 0 (the default) to 300 s.
	BatchingWindow time.Duration
	// ParallelizationFactor is how many batches of one shard run side by side: 1 (the default) to 10.
	ParallelizationFactor int
	// BisectBatchOnFunctionError splits a batch that failed as a whole in two before it is tried again.
	BisectBatchOnFunctionError bool
	// MaximumRetryAttempts is how often a failed batch is tried again: 0 to 10,000, or Endless (the default).
	MaximumRetryAttempts int
	// MaximumRecordAge is the age at which a record is given up: 60 s to 7 days, or Endless (the default).
	MaximumRecordAge time.Duration
	// ReportBatchItemFailures is whether the function's answer names the records that failed. Without it Lambda
	// ignores the answer: an invocation that returns has succeeded.
	ReportBatchItemFailures bool
	// Filters holds the patterns of FilterCriteria; a record that matches none of them is dropped. Empty: no filter.
	Filters []string
	// OnFailure is where the position of records that were given up is sent; nil: nowhere.
	OnFailure *OnFailure
}

// OnFailure is the destination of a mapping's on-failure documents.
type OnFailure struct {
	// Type is SQS, SNS or S3.
	Type string
	// Destination is the ARN of the queue, topic or bucket.
	Destination string
}
