package bridge

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"sluice/deploy/local/attempt"
)

// source reads the DynamoDB Stream of one table, from its oldest change on and every shard's parent before it.
type source struct {
	streams *dynamodbstreams.Client
	arn     string
	shards  []*sourceShard
}

type sourceShard struct {
	id       string
	parent   string
	iterator *string // nil before the first read and after one that found it expired
	last     *string // sequence number of the last change read
	ended    bool
}

var (
	// errNoTable says that there is no such table.
	errNoTable = errors.New("create it before its changes are carried")
	// errNoStream says that the table has no stream, or not one that has all that is needed.
	errNoStream = errors.New("enable one with StreamSpecification{StreamEnabled: true, StreamViewType: NEW_AND_OLD_IMAGES}")
)

// findStream is the function findStream, repeated until the table's server answers.
func (c *carrier) findStream(ctx context.Context) (arn string, err error) {
	err = attempt.Until(ctx, c.log, "find the stream of table "+c.table.Name, func(ctx context.Context) (err error) {
		arn, err = findStream(ctx, c.bridge.config.DynamoDB, c.table.Name)
		return err
	})
	return arn, err
}

// findStream returns the ARN of the table's stream, errNoTable or errNoStream.
func findStream(ctx context.Context, client *dynamodb.Client, table string) (string, error) {
	out, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table})
	if _, missing := errors.AsType[*dynamodbtypes.ResourceNotFoundException](err); missing {
		return "", fmt.Errorf("table %s does not exist; %w: %w", table, errNoTable, err)
	}
	if err != nil {
		return "", fmt.Errorf("describe table %s: %w", table, err)
	}
	spec := out.Table.StreamSpecification
	if spec == nil || !aws.ToBool(spec.StreamEnabled) || spec.StreamViewType != dynamodbtypes.StreamViewTypeNewAndOldImages {
		return "", fmt.Errorf("table %s has no stream of new and old images; %w", table, errNoStream)
	}
	return aws.ToString(out.Table.LatestStreamArn), nil
}

func (s *source) discover(ctx context.Context) error {
	in := &dynamodbstreams.DescribeStreamInput{StreamArn: &s.arn}
	for {
		out, err := s.streams.DescribeStream(ctx, in)
		if err != nil {
			return fmt.Errorf("describe stream %s: %w", s.arn, err)
		}
		for _, shard := range out.StreamDescription.Shards {
			if s.find(aws.ToString(shard.ShardId)) == nil {
				s.shards = append(s.shards, &sourceShard{id: aws.ToString(shard.ShardId), parent: aws.ToString(shard.ParentShardId)})
			}
		}
		if in.ExclusiveStartShardId = out.StreamDescription.LastEvaluatedShardId; in.ExclusiveStartShardId == nil {
			return nil
		}
	}
}

func (s *source) find(id string) *sourceShard {
	for _, shard := range s.shards {
		if shard.id == id {
			return shard
		}
	}
	return nil
}

// readable reports whether shard's turn has come: its parent, if still known to the stream, has been read to its end.
func (s *source) readable(shard *sourceShard) bool {
	parent := s.find(shard.parent)
	return !shard.ended && (parent == nil || parent.ended)
}

// read returns the next changes of a shard; it may well be none. Once it has returned, they are not read again.
func (s *source) read(ctx context.Context, shard *sourceShard) ([]streamtypes.Record, error) {
	records, err := s.readOn(ctx, shard)
	if _, trimmed := errors.AsType[*streamtypes.TrimmedDataAccessException](err); trimmed && shard.last == nil {
		// Mostly not true. DynamoDB Local numbers the changes of all tables in one sequence, and an iterator of an empty shard
		// is at the next number. Once another table has taken that one, the engine takes the numbers up to the shard's first
		// change for trimmed. A new iterator is at that change, and as none has been read, none is lost or repeated.
		shard.iterator = nil
		records, err = s.readOn(ctx, shard)
	}
	if _, expired := errors.AsType[*streamtypes.ExpiredIteratorException](err); expired {
		shard.iterator = nil
		err = attempt.Passing{Err: err}
	}
	if err != nil {
		return nil, s.explain(shard, err)
	}
	if n := len(records); n > 0 {
		shard.last = records[n-1].Dynamodb.SequenceNumber
	}
	return records, nil
}

// readOn makes one call for changes, with a new iterator if the shard has none.
func (s *source) readOn(ctx context.Context, shard *sourceShard) ([]streamtypes.Record, error) {
	if shard.iterator == nil {
		in := &dynamodbstreams.GetShardIteratorInput{
			StreamArn: &s.arn, ShardId: &shard.id, ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon,
		}
		if shard.last != nil {
			in.ShardIteratorType, in.SequenceNumber = streamtypes.ShardIteratorTypeAfterSequenceNumber, shard.last
		}
		out, err := s.streams.GetShardIterator(ctx, in)
		if err != nil {
			return nil, err
		}
		shard.iterator = out.ShardIterator
	}
	out, err := s.streams.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: shard.iterator})
	if err != nil {
		return nil, err
	}
	shard.iterator, shard.ended = out.NextShardIterator, out.NextShardIterator == nil
	return out.Records, nil
}

func (s *source) explain(shard *sourceShard, err error) error {
	if _, trimmed := errors.AsType[*streamtypes.TrimmedDataAccessException](err); trimmed {
		return fmt.Errorf("stream %s, shard %s: changes not yet read are older than the stream keeps, and lost; "+
			"build the destinations anew: %w", s.arn, shard.id, err)
	}
	return fmt.Errorf("read stream %s, shard %s: %w", s.arn, shard.id, err)
}
