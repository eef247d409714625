package redrive

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"sluice/shared/change"
	"sluice/shared/consumer"
)

// Letter is a message of a dead-letter queue. One of Own and Range is set, or neither if it is something else.
type Letter struct {
	// Own is the consumer's own dead letter, its Data perhaps still in S3.
	Own *consumer.DeadLetter
	// Range is an on-failure document of Lambda.
	Range *Range
	// Sent is when it came into the queue.
	Sent time.Time

	id, receipt string
	received    time.Time
}

// Range is a part of a shard that Lambda gave up.
type Range struct {
	StreamARN string    `json:"streamArn"`
	ShardID   string    `json:"shardId"`
	First     string    `json:"startSequenceNumber"`
	Last      string    `json:"endSequenceNumber"`
	Records   int       `json:"batchSize"`
	Arrival   time.Time `json:"approximateArrivalOfFirstRecord"`
	// Condition is why: RetryAttemptsExhausted or RecordAgeExceeded.
	Condition string `json:"-"`
}

// newLetter reads a message.
func newLetter(m sqstypes.Message, now time.Time) Letter {
	l := Letter{id: aws.ToString(m.MessageId), receipt: aws.ToString(m.ReceiptHandle), received: now}
	if ms, err := strconv.ParseInt(m.Attributes[string(sqstypes.MessageSystemAttributeNameSentTimestamp)], 10, 64); err == nil {
		l.Sent = time.UnixMilli(ms)
	}
	body := []byte(aws.ToString(m.Body))
	var document struct {
		RequestContext   struct{ Condition string } `json:"requestContext"`
		KinesisBatchInfo *Range
	}
	if json.Unmarshal(body, &document) == nil && document.KinesisBatchInfo != nil {
		document.KinesisBatchInfo.Condition = document.RequestContext.Condition
		l.Range = document.KinesisBatchInfo
		return l
	}
	var own consumer.DeadLetter
	if json.Unmarshal(body, &own) == nil && own.Consumer != "" && own.Position.SequenceNumber != "" {
		l.Own = &own
	}
	return l
}

// Reason is why this is a dead letter: a consumer's reason, Lambda's condition, or that it is none.
func (l *Letter) Reason() string {
	switch {
	case l.Own != nil:
		return string(l.Own.Reason)
	case l.Range != nil:
		return l.Range.Condition
	}
	return "no dead letter"
}

// Sequence is where the letter's only or first record stands in the stream.
func (l *Letter) Sequence() string {
	switch {
	case l.Own != nil:
		return l.Own.Position.SequenceNumber
	case l.Range != nil:
		return l.Range.First
	}
	return ""
}

// Example describes the letter's change, or its range.
func (l *Letter) Example() string {
	switch {
	case l.Range != nil:
		return fmt.Sprintf("%d records from %s to %s of %s", l.Range.Records, l.Range.First, l.Range.Last, l.Range.ShardID)
	case l.Own == nil:
		return "message " + l.id
	}
	at := "at " + l.Own.Position.SequenceNumber
	if data, err := base64.StdEncoding.DecodeString(l.Own.Data); err == nil {
		if changed, err := change.Parse(data); err == nil {
			return fmt.Sprintf("%s %s %s, %s", changed.Kind, changed.Table, changed.Keys.AppendJSON(nil), at)
		}
	}
	if l.Own.Table != "" {
		return l.Own.Table + ", " + at
	}
	return at
}

// whole returns a letter with its Data, which may be in S3.
func (r *Redrive) whole(ctx context.Context, l *consumer.DeadLetter) (consumer.DeadLetter, error) {
	if l.Body == nil {
		return *l, nil
	}
	out, err := r.S3.GetObject(ctx, &s3.GetObjectInput{Bucket: &l.Body.Bucket, Key: &l.Body.Key})
	if err != nil {
		return *l, fmt.Errorf("its body is in s3://%s/%s, but: %w", l.Body.Bucket, l.Body.Key, err)
	}
	defer out.Body.Close()
	text, err := io.ReadAll(out.Body)
	if err != nil {
		return *l, fmt.Errorf("read its body from s3://%s/%s: %w", l.Body.Bucket, l.Body.Key, err)
	}
	var whole consumer.DeadLetter
	if err := json.Unmarshal(text, &whole); err != nil {
		return *l, fmt.Errorf("its body s3://%s/%s is no dead letter: %w", l.Body.Bucket, l.Body.Key, err)
	}
	// A pointer has its names cut, and one that the queue took only without them lacks some.
	if !whole.IsAt(l.Position) {
		return *l, fmt.Errorf("its body s3://%s/%s is that of another record, %s", l.Body.Bucket, l.Body.Key, whole.Position.SequenceNumber)
	}
	return whole, nil
}
