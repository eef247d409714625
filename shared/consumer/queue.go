package consumer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"golang.org/x/sync/errgroup"
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
func (q *Queue) Keep(ctx context.Context, letters []DeadLetter) []error {
	errs := make([]error, len(letters))
	messages := make([]string, len(letters))
	var group errgroup.Group
	group.SetLimit(queueConcurrency)
	for i := range letters {
		group.Go(func() error {
			messages[i], errs[i] = q.message(ctx, &letters[i])
			return nil
		})
	}
	_ = group.Wait() // errors are in errs
	for _, batch := range packMessages(messages) {
		group.Go(func() error {
			q.send(ctx, messages, batch, errs)
			return nil
		})
	}
	_ = group.Wait() // errors are in errs
	return errs
}

// message returns what goes into the queue for a letter: the letter itself,
// or, where that is too large, a letter that points to the body in S3.
func (q *Queue) message(ctx context.Context, letter *DeadLetter) (string, error) {
	text, err := json.Marshal(letter)
	if err != nil {
		return "", fmt.Errorf("write dead letter: %w", err)
	}
	if len(text) <= MaxMessageBytes {
		return string(text), nil
	}
	if q.Bucket == "" {
		return "", fmt.Errorf("dead letter has %d bytes, a message at most %d: %w", len(text), MaxMessageBytes, ErrNoBucket)
	}
	key := letter.bodyKey()
	if err := q.store(ctx, key, text); err != nil {
		return "", fmt.Errorf("store dead letter in s3://%s/%s: %w", q.Bucket, key, err)
	}
	pointer := *letter
	pointer.Data = ""
	pointer.Body = &Body{Bucket: q.Bucket, Key: key}
	pointer.Error = shorten(pointer.Error, maxPointerError)
	text, err = json.Marshal(pointer)
	if err != nil {
		return "", fmt.Errorf("write dead letter: %w", err)
	}
	return string(text), nil
}

func (q *Queue) store(ctx context.Context, key string, body []byte) error {
	_, err := q.S3.PutObject(ctx, &s3.PutObjectInput{
		Bucket:      &q.Bucket,
		Key:         &key,
		Body:        bytes.NewReader(body),
		ContentType: aws.String("application/json"),
	})
	return err
}

// maxPointerError keeps a pointer small even if the error isn't; the body has it whole.
const maxPointerError = 4 << 10

func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n] + "…"
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
			errs[i] = fmt.Errorf("send dead letter to %s: %s: %s", q.URL, aws.ToString(failed.Code), aws.ToString(failed.Message))
		}
	}
}

var (
	// ErrNoBucket is returned for a dead letter that is too large for the queue when no bucket is set.
	ErrNoBucket = errors.New("no DEAD_LETTER_BUCKET to keep it in")
	// ErrNotConfirmed is returned for a dead letter that the queue's answer doesn't mention.
	ErrNotConfirmed = errors.New("the queue did not confirm the dead letter")
)
