package bridge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	kinesistypes "github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	smithytime "github.com/aws/smithy-go/time"

	"sluice/deploy/local/attempt"
)

// Limits of Kinesis' PutRecords, which count a record's partition key and its data before base64.
const (
	maxRecordBytes = 1 << 20
	maxBatchBytes  = 5 << 20
	maxBatch       = 500
)

const refusedPause = 50 * time.Millisecond

func (o outgoing) size() int { return len(o.key) + len(o.data) }

// outbox writes records to one Kinesis stream, those of one item in the order in which they were added.
type outbox struct {
	kinesis *kinesis.Client
	stream  string
	log     *slog.Logger
	pending []outgoing
	written bool // the stream has taken something
	count   func(func(*TableStats))
}

// flush writes all that is pending. What Kinesis has not confirmed stays pending, and is written again, perhaps a second time.
func (o *outbox) flush(ctx context.Context) error {
	for len(o.pending) > 0 {
		if err := attempt.Until(ctx, o.log, "write to stream "+o.stream, o.writeBatch); err != nil {
			return err
		}
	}
	o.pending = nil // lets go of the array
	return nil
}

// writeBatch writes the first batch, and leaves of it what Kinesis refused.
func (o *outbox) writeBatch(ctx context.Context) error {
	n := batchLength(o.pending)
	entries := make([]kinesistypes.PutRecordsRequestEntry, n)
	for i, r := range o.pending[:n] {
		entries[i] = kinesistypes.PutRecordsRequestEntry{PartitionKey: &r.key, Data: r.data}
	}
	out, err := o.kinesis.PutRecords(ctx, &kinesis.PutRecordsInput{StreamName: &o.stream, Records: entries})
	if _, missing := errors.AsType[*kinesistypes.ResourceNotFoundException](err); missing {
		err = fmt.Errorf("stream %s does not exist; create it before changes are written to it: %w", o.stream, err)
		if o.written {
			return attempt.Passing{Err: err} // it was deleted, and may be made again
		}
		return err
	}
	if err != nil {
		return fmt.Errorf("write %d records to stream %s: %w", n, o.stream, err)
	}
	if len(out.Records) != n {
		return fmt.Errorf("stream %s answered for %d of %d records, so what it took is not known", o.stream, len(out.Records), n)
	}
	var refused []outgoing
	var reason error
	for i, answer := range out.Records {
		if answer.ErrorCode != nil {
			refused = append(refused, o.pending[i])
			reason = fmt.Errorf("%s: %s", *answer.ErrorCode, aws.ToString(answer.ErrorMessage))
			continue
		}
		o.written = true
		o.count(func(t *TableStats) {
			t.Last[aws.ToString(answer.ShardId)] = aws.ToString(answer.SequenceNumber)
			t.Written++
			t.Pending--
		})
	}
	o.pending = slices.Concat(refused, o.pending[n:])
	switch len(refused) {
	case 0:
		return nil
	case n:
		return attempt.Passing{Err: fmt.Errorf("stream %s refused all of %d records: %w", o.stream, n, reason)}
	default:
		// Some were taken, so the next call need not wait for longer and longer.
		o.log.WarnContext(ctx, "Kinesis refused some records, which are written again", "refused", len(refused), "of", n, "error", reason)
		return smithytime.SleepWithContext(ctx, refusedPause)
	}
}

// batchLength returns how many records make one call: one of each item, since Kinesis may refuse the first of two and take the second.
func batchLength(records []outgoing) int {
	inOrder := make(map[string]bool)
	bytes := 0
	for n, r := range records {
		if bytes += r.size(); n == maxBatch || bytes > maxBatchBytes || !r.loose && inOrder[r.key] {
			return n
		}
		if !r.loose {
			inOrder[r.key] = true
		}
	}
	return len(records)
}
