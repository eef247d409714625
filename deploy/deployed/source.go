package deployed

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	kinesistypes "github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// Source is a table whose changes a consumer takes from a stream.
type Source struct {
	Table  string `json:"table"`
	Stream string `json:"stream"` // ARN
	// State is DynamoDB's word for the table's Kinesis destination on the stream, such as ACTIVE or DISABLED;
	// NoDestination, NoTable, or Unknown.
	State string `json:"state"`
}

// States of a source that has no Kinesis destination with a state of its own.
const (
	NoDestination = "no destination"
	NoTable       = "no table"
)

// missed names the section of the runbook about changes that nobody delivers later.
const missed = `docs/runbook.md, under "The consumer missed changes", says what to do`

// readSources checks that each source still feeds its stream: a source that ended looks like a source without changes.
func (r *reader) readSources(ctx context.Context) {
	for i := range r.Consumers {
		c := &r.Consumers[i]
		for _, m := range c.Mappings {
			stream := streamARN(m.Stream)
			if m.State == "" || stream == "" {
				continue
			}
			r.checkStream(ctx, c, m, stream)
			for _, table := range c.sources {
				same := func(s Source) bool { return s.Table == table && s.Stream == stream }
				if !slices.ContainsFunc(r.Sources, same) {
					r.Sources = append(r.Sources, Source{Table: table, Stream: stream, State: r.destination(ctx, table, stream)})
				}
				r.checkAge(ctx, c, m, table)
			}
		}
		if len(c.sources) == 0 && len(c.Mappings) > 0 {
			r.note("stack %s has no output SourceTables, the tables whose changes %s takes, so nobody checks that they reach the stream; deploy it again with this version's template", c.Stack, c.Name)
		}
	}
}

// streamARN is the stream's ARN in that of a consumer with enhanced fan-out, or the ARN itself.
func streamARN(arn string) string {
	stream, _, _ := strings.Cut(arn, "/consumer/")
	return stream
}

// checkStream compares a mapping with its stream, and says until when the stream keeps what a disabled mapping hasn't read.
func (r *reader) checkStream(ctx context.Context, c *Consumer, m Mapping, arn string) {
	out, err := r.kinesis.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamARN: &arn})
	name := streamName(arn)
	if _, gone := errors.AsType[*kinesistypes.ResourceNotFoundException](err); gone {
		r.note("stream %s, which %s reads, is gone: no change is delivered; %s", name, c.Name, missed)
		return
	}
	if err != nil {
		r.note("stream %s can't be looked at, so its retention isn't known: %s", name, reason(err))
		return
	}
	stream := out.StreamDescriptionSummary
	retention := time.Duration(aws.ToInt32(stream.RetentionPeriodHours)) * time.Hour
	if made := aws.ToTime(stream.StreamCreationTimestamp); made.After(m.changed) {
		r.note("stream %s was made at %s, after the mapping of %s was last changed: the mapping may still look for the stream before it; %s", name, at(made), c.Name, missed)
	}
	if age := time.Duration(m.recordAge) * time.Second; age > 0 && age < retention {
		r.note("%s: Lambda gives up changes that are older than %v, though stream %s keeps them for %v: deploy the consumer with the stream's RetentionHours", c.Name, age, name, retention)
	}
	if m.State != "Disabled" {
		return
	}
	if until := m.changed.Add(retention); r.At.Before(until) {
		r.note("%s: its mapping is disabled since %s; the stream forgets the first change that it has not read at %s", c.Name, at(m.changed), at(until))
	} else {
		r.note("%s: its mapping is disabled since %s, longer than stream %s keeps a change (%v): changes are lost; %s", c.Name, at(m.changed), name, retention, missed)
	}
}

func (r *reader) destination(ctx context.Context, table, stream string) string {
	out, err := r.dynamoDB.DescribeKinesisStreamingDestination(ctx, &dynamodb.DescribeKinesisStreamingDestinationInput{TableName: &table})
	if _, gone := errors.AsType[*dynamodbtypes.ResourceNotFoundException](err); gone {
		r.note("table %s isn't there: it has no changes; %s", table, missed)
		return NoTable
	}
	if err != nil {
		r.note("table %s: the state of its Kinesis destination can't be read, so nobody knows whether its changes reach the stream: %s", table, reason(err))
		return Unknown
	}
	state, why := NoDestination, ""
	for _, d := range out.KinesisDataStreamDestinations {
		// A table keeps the destinations that it had: one that works counts.
		if aws.ToString(d.StreamArn) == stream && state != string(dynamodbtypes.DestinationStatusActive) {
			state, why = string(d.DestinationStatus), aws.ToString(d.DestinationStatusDescription)
		}
	}
	switch dynamodbtypes.DestinationStatus(state) {
	case dynamodbtypes.DestinationStatusActive, dynamodbtypes.DestinationStatusUpdating:
	case NoDestination:
		r.note("table %s has no Kinesis destination on stream %s: its changes reach no consumer; %s", table, streamName(stream), missed)
	default:
		if why != "" {
			why = fmt.Sprintf(" (%s)", why)
		}
		r.note("table %s: its Kinesis destination on stream %s is %s%s: its changes reach no consumer; %s", table, streamName(stream), state, why, missed)
	}
	return state
}

// newTable is how long a table that is newer than the mappings of its consumers is worth a note.
const newTable = 7 * 24 * time.Hour

// checkAge says that a table is newer than a mapping: a destination may still have items of the table that it replaced.
func (r *reader) checkAge(ctx context.Context, c *Consumer, m Mapping, table string) {
	out, err := r.dynamoDB.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table})
	if err != nil {
		if _, gone := errors.AsType[*dynamodbtypes.ResourceNotFoundException](err); !gone {
			r.note("table %s can't be looked at, so it isn't known whether it was made anew: %s", table, reason(err))
		}
		return
	}
	if made := aws.ToTime(out.Table.CreationDateTime); made.After(m.changed) && r.At.Sub(made) < newTable {
		r.note("table %s was made at %s, after the mapping of %s was last changed: if it replaced an older table, the destination still has that table's items; %s", table, at(made), c.Name, missed)
	}
}

func at(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05 MST") }
