package deployed

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	smithytime "github.com/aws/smithy-go/time"
)

// Attachment sends the changes of a table that is there into a pipeline's stream.
type Attachment struct {
	Table, Stream string // the table's name, the stream's ARN
	Items         int    // of the table, as DynamoDB counts them every few hours
	// Mode is the stream's: how many changes a second it takes. Shards is how many it has.
	Mode   string
	Shards int
	// Now is the precision of a destination that is there already; empty: there is none.
	Now types.ApproximateCreationDateTimePrecision

	client *dynamodb.Client
}

// Attached reports whether the table's changes go into the stream already, in microseconds.
func (a *Attachment) Attached() bool {
	return a.Now == types.ApproximateCreationDateTimePrecisionMicrosecond
}

// StreamOf returns the ARN of the stream of a stack: the one that has it, or the one around all of a pipeline.
func StreamOf(ctx context.Context, client *cloudformation.Client, stack string) (string, error) {
	s, _, err := describe(ctx, client, stack)
	if err != nil {
		return "", err
	}
	if s.Outputs["StreamArn"] == "" {
		return "", fmt.Errorf("stack %s has no output StreamArn: name the stack of template.yaml, or of deploy/stream.yaml", stack)
	}
	return s.Outputs["StreamArn"], nil
}

// NewAttachment looks at the table and the stream, and returns an error if the changes can't go there. It changes nothing.
func NewAttachment(ctx context.Context, cfg aws.Config, table, stream string) (*Attachment, error) {
	a := &Attachment{Table: table, Stream: stream, client: dynamodb.NewFromConfig(cfg)}
	where, err := arn.Parse(stream)
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", stream, err)
	}
	if where.Region != cfg.Region {
		return nil, fmt.Errorf("stream %s is in %s, and this is %s: a table's stream must be in the table's region", streamName(stream), where.Region, cfg.Region)
	}
	described, err := a.client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table})
	if _, missing := errors.AsType[*types.ResourceNotFoundException](err); missing {
		return nil, fmt.Errorf("there is no table %s in account %s, %s: is it another account or region?", table, where.AccountID, cfg.Region)
	}
	if err != nil {
		return nil, fmt.Errorf("look at table %s: %w", table, err)
	}
	if state := described.Table.TableStatus; state != types.TableStatusActive {
		return nil, fmt.Errorf("table %s is %s: try again once it is ACTIVE", table, state)
	}
	a.Items = int(aws.ToInt64(described.Table.ItemCount))
	summary, err := kinesis.NewFromConfig(cfg).DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamARN: &stream})
	if err != nil {
		return nil, fmt.Errorf("look at stream %s: %w", streamName(stream), err)
	}
	if d := summary.StreamDescriptionSummary; d.StreamModeDetails != nil {
		a.Mode, a.Shards = string(d.StreamModeDetails.StreamMode), int(aws.ToInt32(d.OpenShardCount))
	}
	return a, a.look(ctx)
}

// look finds out where the table's changes go now.
func (a *Attachment) look(ctx context.Context) error {
	out, err := a.client.DescribeKinesisStreamingDestination(ctx, &dynamodb.DescribeKinesisStreamingDestinationInput{TableName: &a.Table})
	if err != nil {
		return fmt.Errorf("look at the Kinesis destination of table %s: %w", a.Table, err)
	}
	a.Now = ""
	for _, d := range out.KinesisDataStreamDestinations {
		switch d.DestinationStatus {
		case types.DestinationStatusDisabled, types.DestinationStatusEnableFailed:
			continue // it was one, and is none now
		}
		if to := aws.ToString(d.StreamArn); to != a.Stream {
			return fmt.Errorf("table %s sends its changes to stream %s already (%s): let this pipeline read that stream, or end that destination first with \"aws dynamodb disable-kinesis-streaming-destination\"",
				a.Table, to, d.DestinationStatus)
		}
		if a.Now = d.ApproximateCreationDateTimePrecision; a.Now == "" {
			a.Now = types.ApproximateCreationDateTimePrecisionMillisecond // DynamoDB's default
		}
	}
	return nil
}

// attachTimeout is how long DynamoDB may take to begin. It takes minutes at most.
const (
	attachTimeout = 10 * time.Minute
	attachPause   = 2 * time.Second
)

// Attach sends the table's changes into the stream, in microseconds, and waits until DynamoDB does. After an error another Attach of a
// new Attachment resumes.
func (a *Attachment) Attach(ctx context.Context) error {
	var err error
	switch {
	case a.Attached():
		return nil
	case a.Now != "":
		_, err = a.client.UpdateKinesisStreamingDestination(ctx, &dynamodb.UpdateKinesisStreamingDestinationInput{
			TableName: &a.Table, StreamArn: &a.Stream,
			UpdateKinesisStreamingConfiguration: &types.UpdateKinesisStreamingConfiguration{
				ApproximateCreationDateTimePrecision: types.ApproximateCreationDateTimePrecisionMicrosecond,
			},
		})
	default:
		_, err = a.client.EnableKinesisStreamingDestination(ctx, &dynamodb.EnableKinesisStreamingDestinationInput{
			TableName: &a.Table, StreamArn: &a.Stream,
			EnableKinesisStreamingConfiguration: &types.EnableKinesisStreamingConfiguration{
				ApproximateCreationDateTimePrecision: types.ApproximateCreationDateTimePrecisionMicrosecond,
			},
		})
	}
	if err != nil {
		return fmt.Errorf("send the changes of table %s to stream %s: %w", a.Table, streamName(a.Stream), err)
	}
	ctx, cancel := context.WithTimeout(ctx, attachTimeout)
	defer cancel()
	for {
		state, err := a.state(ctx)
		if err != nil || state == types.DestinationStatusActive {
			return err
		}
		if state == types.DestinationStatusEnableFailed {
			return fmt.Errorf("DynamoDB couldn't send the changes of table %s to stream %s: does the table's role reach the stream, and its key?", a.Table, streamName(a.Stream))
		}
		if err := smithytime.SleepWithContext(ctx, attachPause); err != nil {
			return fmt.Errorf("the destination of table %s is still %s: %w", a.Table, strings.ToLower(string(state)), err)
		}
	}
}

func (a *Attachment) state(ctx context.Context) (types.DestinationStatus, error) {
	out, err := a.client.DescribeKinesisStreamingDestination(ctx, &dynamodb.DescribeKinesisStreamingDestinationInput{TableName: &a.Table})
	if err != nil {
		return "", fmt.Errorf("look at the Kinesis destination of table %s: %w", a.Table, err)
	}
	for _, d := range out.KinesisDataStreamDestinations {
		if aws.ToString(d.StreamArn) == a.Stream {
			return d.DestinationStatus, nil
		}
	}
	return "", fmt.Errorf("table %s has no destination on stream %s, though DynamoDB was told to make one", a.Table, streamName(a.Stream))
}
