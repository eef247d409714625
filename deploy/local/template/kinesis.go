package template

import (
	"slices"
	"time"
)

// Endless is a MaximumRetryAttempts or MaximumRecordAge without a limit, as -1 is for Lambda.
const Endless = -1

// StartingPosition says where in the stream a mapping that has no checkpoint yet starts to read.
type StartingPosition string

// The starting positions that Lambda knows for a Kinesis stream.
const (
	TrimHorizon StartingPosition = "TRIM_HORIZON"
	Latest      StartingPosition = "LATEST"
	AtTimestamp StartingPosition = "AT_TIMESTAMP"
)

// KinesisMapping is the settings of one Lambda event source mapping on a Kinesis stream, as a function's event of type Kinesis
// gives them. What the template leaves out has Lambda's default, and every value is within Lambda's limits:
// https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html
type KinesisMapping struct {
	Name                      string // the event's
	Stream                    string // ARN
	Enabled                   bool   // a disabled mapping reads nothing
	StartingPosition          StartingPosition
	StartingPositionTimestamp time.Time     // for AtTimestamp alone
	BatchSize                 int           // the most records of an invocation; the limit on its payload may make it fewer
	BatchingWindow            time.Duration // how long to gather records for a batch
	ParallelizationFactor     int           // how many batches of one shard run side by side
	// BisectBatchOnFunctionError splits a batch that failed as a whole in two before it is tried again.
	BisectBatchOnFunctionError bool
	MaximumRetryAttempts       int           // or Endless
	MaximumRecordAge           time.Duration // at which a record is given up, or Endless
	// ReportBatchItemFailures is whether the answer names the records that failed; without it an invocation that returns succeeded.
	ReportBatchItemFailures bool
	OnFailure               *OnFailure // where the position of records that were given up is sent; nil: nowhere
}

// OnFailure is the destination of a mapping's on-failure documents.
type OnFailure struct {
	Type        string // SQS, SNS or S3
	Destination string // ARN
}

const week = 7 * 24 * 60 * 60

func (d decoder) kinesisMapping(name, what string, properties node) KinesisMapping {
	if filter := properties.get("FilterCriteria"); filter.kind != null {
		d.add(filter.at, "%s must have no FilterCriteria: Lambda drops what a filter can't parse or doesn't match without a trace; "+
			"what a consumer doesn't take it skips, and counts", what)
	}
	properties.pairs = slices.DeleteFunc(slices.Clone(properties.pairs), func(p pair) bool { return p.key == "FilterCriteria" })
	p := d.object(properties, what, []string{"BatchSize", "BisectBatchOnFunctionError", "DestinationConfig", "Enabled",
		"FunctionResponseTypes", "MaximumBatchingWindowInSeconds", "MaximumRecordAgeInSeconds",
		"MaximumRetryAttempts", "ParallelizationFactor", "StartingPosition", "StartingPositionTimestamp", "Stream"}, nil)
	m := KinesisMapping{
		Name:    name,
		Stream:  d.text(p.get("Stream"), what+": Stream"),
		Enabled: d.boolean(p.get("Enabled"), what+": Enabled", true),
		StartingPosition: StartingPosition(d.choice(p.get("StartingPosition"), what+": StartingPosition",
			string(TrimHorizon), string(Latest), string(AtTimestamp))),
		BatchSize:                  d.integer(p.get("BatchSize"), what+": BatchSize", 100, 1, 10000),
		BatchingWindow:             d.seconds(p.get("MaximumBatchingWindowInSeconds"), what+": MaximumBatchingWindowInSeconds", 0, 0, 300),
		ParallelizationFactor:      d.integer(p.get("ParallelizationFactor"), what+": ParallelizationFactor", 1, 1, 10),
		BisectBatchOnFunctionError: d.boolean(p.get("BisectBatchOnFunctionError"), what+": BisectBatchOnFunctionError", false),
		MaximumRetryAttempts:       d.integer(p.get("MaximumRetryAttempts"), what+": MaximumRetryAttempts", Endless, Endless, 10000),
		MaximumRecordAge:           Endless,
	}
	if age := p.get("MaximumRecordAgeInSeconds"); age.kind != null && age.text != "-1" {
		m.MaximumRecordAge = d.seconds(age, what+": MaximumRecordAgeInSeconds", 60, 60, week)
	}
	timestamp := p.get("StartingPositionTimestamp")
	if (timestamp.kind != null) != (m.StartingPosition == AtTimestamp) {
		d.add(timestamp.at, "%s: StartingPositionTimestamp must be given with StartingPosition AT_TIMESTAMP, and only then", what)
	} else if timestamp.kind != null {
		seconds := d.integer(timestamp, what+": StartingPositionTimestamp", 0, 0, 1<<40)
		m.StartingPositionTimestamp = time.Unix(int64(seconds), 0).UTC()
	}
	for _, response := range d.items(p.get("FunctionResponseTypes"), what+": FunctionResponseTypes") {
		d.choice(response, what+": FunctionResponseTypes", "ReportBatchItemFailures")
		m.ReportBatchItemFailures = true
	}
	destinations := d.object(p.get("DestinationConfig"), what+": DestinationConfig", []string{"OnFailure"}, nil)
	if failure := d.object(destinations.get("OnFailure"), what+": OnFailure", []string{"Type", "Destination"}, nil); failure.kind == object {
		m.OnFailure = &OnFailure{
			Type:        d.choice(failure.get("Type"), what+": OnFailure: Type", "SQS", "SNS", "S3"),
			Destination: d.text(failure.get("Destination"), what+": OnFailure: Destination"),
		}
	}
	return m
}
