package consumer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
)

const (
	// MaxMessageBytes is how large a dead letter in the queue gets. Queues made
	// before August 2025 take 256 KiB unless told otherwise, newer ones 1 MiB:
	// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
	// The limit holds for one message and for a batch of them.
	MaxMessageBytes = 256 << 10

	// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
	maxMessagesPerBatch = 10

	queueConcurrency = 8
)

// Queue keeps dead letters in an SQS queue, and the bodies of those larger
// than MaxMessageBytes in an S3 bucket. It is safe for concurrent use.
type Queue struct {
	SQS    *sqs.Client
	URL    string
	S3     *s3.Client
	Bucket string // empty: letters too large for the queue can't be kept
}

// Keep stores the letters and returns one error for each, nil once it is
// stored. A letter may be stored twice if an answer was lost.
//
// What SQS refuses for its content goes into the bucket, and a message that
// holds nothing but where it is goes into the queue.
func (q *Queue) Keep(ctx context.Context, letters []DeadLetter) []error {
	errs := make([]error, len(letters))
	messages := make([]string, len(letters))
	all := make([]int, len(letters))
	for i := range all {
		all[i] = i
	}
	send := func(batches [][]int) {
		SideBySide(queueConcurrency, batches, func(batch []int) { q.send(ctx, messages, batch, errs) })
	}
	alone := func(indexes []int) [][]int { return slices.Collect(slices.Chunk(indexes, 1)) }
	SideBySide(queueConcurrency, all, func(i int) { messages[i], errs[i] = q.message(ctx, &letters[i]) })
	send(packMessages(messages))
	send(alone(refusedOf(messages, errs))) // perhaps only because of another one in its batch
	refused := refusedOf(messages, errs)
	SideBySide(queueConcurrency, refused, func(i int) { messages[i], errs[i] = q.bare(ctx, &letters[i]) })
	send(alone(slices.DeleteFunc(refused, func(i int) bool { return errs[i] != nil })))
	return errs
}

// refusedOf returns the indexes of the messages that SQS refused for their content.
func refusedOf(messages []string, errs []error) (indexes []int) {
	for i, err := range errs {
		if messages[i] != "" && Refused(err) {
			indexes = append(indexes, i)
		}
	}
	return indexes
}

// message returns what goes into the queue for a letter: the letter itself,
// or, where that is too large, a letter that points to the body in S3.
func (q *Queue) message(ctx context.Context, letter *DeadLetter) (string, error) {
	text, err := letter.text()
	if err != nil {
		return "", err
	}
	if len(text) <= MaxMessageBytes {
		return text, nil
	}
	body, err := q.store(ctx, letter, text)
	if err != nil {
		return "", err
	}
	return letter.pointer(body).text()
}

// bare returns a message that SQS takes whatever stands in the letter, which is
// stored in S3.
func (q *Queue) bare(ctx context.Context, letter *DeadLetter) (string, error) {
	text, err := letter.text()
	if err != nil {
		return "", err
	}
	body, err := q.store(ctx, letter, text)
	if err != nil {
		return "", fmt.Errorf("the queue refuses the dead letter's content: %w", err)
	}
	return letter.barePointer(body).text()
}

// store puts a whole letter into the bucket.
func (q *Queue) store(ctx context.Context, letter *DeadLetter, text string) (*Body, error) {
	if q.Bucket == "" {
		return nil, fmt.Errorf("dead letter has %d bytes, a message at most %d: %w", len(text), MaxMessageBytes, ErrNoBucket)
	}
	key := letter.bodyKey()
	_, err := q.S3.PutObject(ctx, &s3.PutObjectInput{
		Bucket:      &q.Bucket,
		Key:         &key,
		Body:        strings.NewReader(text),
		ContentType: aws.String("application/json"),
	})
	if err != nil {
		return nil, fmt.Errorf("store dead letter in s3://%s/%s: %w", q.Bucket, key, err)
	}
	return &Body{Bucket: q.Bucket, Key: key}, nil
}

// packMessages groups the indexes of the non-empty messages into batches that SQS takes.
func packMessages(messages []string) [][]int {
	var batches [][]int
	var batch []int
	size := 0
	for i, m := range messages {
		if m == "" {
			continue
		}
		if len(batch) == maxMessagesPerBatch || len(batch) > 0 && size+len(m) > MaxMessageBytes {
			batches, batch, size = append(batches, batch), nil, 0
		}
		batch, size = append(batch, i), size+len(m)
	}
	if len(batch) > 0 {
		batches = append(batches, batch)
	}
	return batches
}

// send sends one batch; whatever isn't confirmed gets an error.
func (q *Queue) send(ctx context.Context, messages []string, batch []int, errs []error) {
	entries := make([]types.SendMessageBatchRequestEntry, len(batch))
	for n, i := range batch {
		errs[i] = ErrNotConfirmed
		entries[n] = types.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), MessageBody: &messages[i]}
	}
	out, err := q.SQS.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &q.URL, Entries: entries})
	if err != nil {
		for _, i := range batch {
			errs[i] = fmt.Errorf("send dead letter to %s: %w", q.URL, err)
		}
		return
	}
	for _, ok := range out.Successful {
		if i, err := strconv.Atoi(aws.ToString(ok.Id)); err == nil && i >= 0 && i < len(errs) {
			errs[i] = nil
		}
	}
	for _, failed := range out.Failed {
		if i, err := strconv.Atoi(aws.ToString(failed.Id)); err == nil && i >= 0 && i < len(errs) {
			errs[i] = fmt.Errorf("send dead letter to %s: %w", q.URL, entryError(failed))
		}
	}
}

// entryError is the error of one message. A code blames the message only if SQS
// says that the sender is at fault.
func entryError(failed types.BatchResultErrorEntry) error {
	err := &smithy.GenericAPIError{Code: aws.ToString(failed.Code), Message: aws.ToString(failed.Message)}
	if !failed.SenderFault {
		return errors.New(err.Error()) // without a code that Refused reads
	}
	return err
}

var (
	// ErrNoBucket is returned for a dead letter that is too large for the queue when no bucket is set.
	ErrNoBucket = errors.New("no DEAD_LETTER_BUCKET to keep it in")
	// ErrNotConfirmed is returned for a dead letter that the queue's answer doesn't mention.
	ErrNotConfirmed = errors.New("the queue did not confirm the dead letter")
)
