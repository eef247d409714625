package redrive

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	kinesistypes "github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	smithytime "github.com/aws/smithy-go/time"

	"sluice/shared/consumer"
)

// readInterval keeps reads of a shard below the five a second that it takes, and leaves some to its consumers:
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html
const readInterval = 500 * time.Millisecond

// ExpiredError is returned for a range of which the stream doesn't keep all records any more.
type ExpiredError struct {
	Range Range
	// Left is how many of the range's records are still there; they were sent.
	Left int
}

func (e *ExpiredError) Error() string {
	left := "none is left"
	if e.Left > 0 {
		left = fmt.Sprintf("the %d that are left were sent", e.Left)
	}
	return fmt.Sprintf("its records came on %s and have expired in the stream (%s); the document has only their place. "+
		"What they changed, only a comparison of source and destination tells: sluice verify", e.Range.Arrival.UTC().Format(time.DateTime+" MST"), left)
}

// fetch reads the records of a range from its stream and gives them to take, in order. It returns how many there were,
// and whether the first and the last of the range were among them: it may give the oldest record in the place of one that
// has expired.
func (r *Redrive) fetch(ctx context.Context, of *Range, take func([]record) error) (n int, whole bool, err error) {
	it, err := r.Kinesis.GetShardIterator(ctx, &kinesis.GetShardIteratorInput{
		StreamARN: &of.StreamARN, ShardId: &of.ShardID,
		ShardIteratorType: kinesistypes.ShardIteratorTypeAtSequenceNumber, StartingSequenceNumber: &of.First,
	})
	if _, refused := errors.AsType[*kinesistypes.InvalidArgumentException](err); refused {
		// AWS doesn't say what becomes of a place that has expired. The oldest record shows it in any case.
		it, err = r.Kinesis.GetShardIterator(ctx, &kinesis.GetShardIteratorInput{
			StreamARN: &of.StreamARN, ShardId: &of.ShardID, ShardIteratorType: kinesistypes.ShardIteratorTypeTrimHorizon,
		})
	}
	if _, missing := errors.AsType[*kinesistypes.ResourceNotFoundException](err); missing {
		return 0, false, nil // the shard is gone, with all that it held
	}
	if err != nil {
		return 0, false, fmt.Errorf("find %s in shard %s of %s: %w", of.First, of.ShardID, of.StreamARN, err)
	}
	first, last := false, false
	for next := it.ShardIterator; next != nil; {
		out, err := r.Kinesis.GetRecords(ctx, &kinesis.GetRecordsInput{StreamARN: &of.StreamARN, ShardIterator: next, Limit: aws.Int32(1000)})
		if err != nil {
			return n, false, fmt.Errorf("read shard %s of %s: %w", of.ShardID, of.StreamARN, err)
		}
		var records []record
		ended := false
		for i := range out.Records {
			read := &out.Records[i]
			sequence := aws.ToString(read.SequenceNumber)
			if consumer.LessSequence(of.Last, sequence) {
				ended = true
				break
			}
			rec, err := newRecord(consumer.Position{
				StreamARN: of.StreamARN, ShardID: of.ShardID, SequenceNumber: sequence,
				PartitionKey: aws.ToString(read.PartitionKey), Arrival: aws.ToTime(read.ApproximateArrivalTimestamp),
			}, base64.StdEncoding.EncodeToString(read.Data))
			if err != nil {
				return n, false, err
			}
			records = append(records, rec)
			first = first || sequence == of.First
			last = last || sequence == of.Last
		}
		n += len(records)
		if err := take(records); err != nil {
			return n, false, err
		}
		// An empty answer isn't the end: there may be a gap. At the shard's tip the range can't go on.
		if ended || last || len(out.Records) == 0 && aws.ToInt64(out.MillisBehindLatest) == 0 {
			break
		}
		if next = out.NextShardIterator; next != nil {
			if err := smithytime.SleepWithContext(ctx, readInterval); err != nil {
				return n, false, err
			}
		}
	}
	return n, first && last, nil
}
