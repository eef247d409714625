package redrive

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

const (
	// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
	maxMessages = 10

	// pollSeconds makes a poll ask every server of the queue; then an empty answer means that there is nothing.
	pollSeconds = 1

	// receiveVisibility is for how long messages are hidden by an answer that got lost.
	receiveVisibility = 3 * time.Second

	// tidyTimeout bounds what is done when the run has been told to end.
	tidyTimeout = 10 * time.Second
)

// Waiting returns about how many messages wait in a queue, and how many more are hidden, in the hands of somebody.
func Waiting(ctx context.Context, client *sqs.Client, url string) (visible, hidden int, err error) {
	out, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []sqstypes.QueueAttributeName{
		sqstypes.QueueAttributeNameApproximateNumberOfMessages, sqstypes.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
	}})
	if err != nil {
		return 0, 0, fmt.Errorf("count the dead letters in %s: %w", url, err)
	}
	for name, n := range map[sqstypes.QueueAttributeName]*int{
		sqstypes.QueueAttributeNameApproximateNumberOfMessages:           &visible,
		sqstypes.QueueAttributeNameApproximateNumberOfMessagesNotVisible: &hidden,
	} {
		if *n, err = strconv.Atoi(out.Attributes[string(name)]); err != nil {
			return 0, 0, fmt.Errorf("count the dead letters in %s: %s is %q", url, name, out.Attributes[string(name)])
		}
	}
	return visible, hidden, nil
}

// receive takes messages out of sight and returns those that this run hasn't met. None means that there are no others,
// or that somebody else has them.
func (r *run) receive(ctx context.Context) ([]Letter, error) {
	patience := time.Now().Add(2 * receiveVisibility)
	for {
		letters, err := r.poll(ctx)
		if err != nil || len(letters) > 0 {
			return letters, err
		}
		visible, hidden, err := Waiting(ctx, r.SQS, r.URL)
		if err != nil {
			return nil, err
		}
		if visible == 0 && hidden <= len(r.held) || time.Now().After(patience) {
			return nil, nil
		}
	}
}

// poll receives once. An answer that gets lost hides its messages from us too, so they are hidden for a moment at first,
// and for as long as they are needed only once they are here.
func (r *run) poll(ctx context.Context) ([]Letter, error) {
	out, err := r.SQS.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &r.URL, MaxNumberOfMessages: maxMessages, WaitTimeSeconds: pollSeconds,
		VisibilityTimeout:           int32(receiveVisibility / time.Second),
		MessageSystemAttributeNames: []sqstypes.MessageSystemAttributeName{sqstypes.MessageSystemAttributeNameSentTimestamp},
	})
	if err != nil {
		return nil, fmt.Errorf("receive from %s: %w", r.URL, err)
	}
	var letters []Letter
	var receipts []string
	for _, m := range out.Messages {
		l := newLetter(m, time.Now())
		receipts = append(receipts, l.receipt)
		_, met := r.held[l.id]
		r.held[l.id] = l.receipt // the newest receipt is the one that is good
		if !met && !r.removed[l.id] {
			letters = append(letters, l)
		}
	}
	return letters, r.hide(ctx, r.Visibility, receipts)
}

// hide sets for how long messages stay hidden from now on.
func (r *run) hide(ctx context.Context, visibility time.Duration, receipts []string) error {
	for batch := range slices.Chunk(receipts, maxMessages) {
		entries := make([]sqstypes.ChangeMessageVisibilityBatchRequestEntry, len(batch))
		for i, receipt := range batch {
			entries[i] = sqstypes.ChangeMessageVisibilityBatchRequestEntry{
				Id: aws.String(strconv.Itoa(i)), ReceiptHandle: &receipt, VisibilityTimeout: int32(visibility / time.Second),
			}
		}
		// What it refuses for single messages doesn't matter: they are sent twice at worst, or seen a little later.
		if _, err := r.SQS.ChangeMessageVisibilityBatch(ctx, &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &r.URL, Entries: entries}); err != nil {
			return fmt.Errorf("hide or show dead letters in %s: %w", r.URL, err)
		}
	}
	return nil
}

// remove takes settled letters out of the queue, also when ctx has ended: the function has answered.
func (r *run) remove(ctx context.Context, letters ...*Letter) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyTimeout)
	defer cancel()
	for _, l := range letters {
		if err := r.delete(ctx, l); err != nil {
			return fmt.Errorf("remove a dead letter from %s (it is done; sent again it is a duplicate): %w", r.URL, err)
		}
		r.result.Removed++
	}
	return nil
}

// removeTwin takes out a letter of a record of which another message stays. A function whose call got no answer sends a
// letter once more, so there may be two.
func (r *run) removeTwin(ctx context.Context, l *Letter) error {
	if err := r.delete(ctx, l); err != nil {
		return fmt.Errorf("remove the second message of a dead letter from %s (the first stays): %w", r.URL, err)
	}
	r.result.Twins++
	return nil
}

func (r *run) delete(ctx context.Context, l *Letter) error {
	_, err := r.SQS.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &r.URL, ReceiptHandle: aws.String(r.held[l.id])})
	// An old receipt: it is gone already, by a call whose answer got lost, or somebody else is sending it as well.
	if _, old := errors.AsType[*sqstypes.ReceiptHandleIsInvalid](err); err != nil && !old {
		return err
	}
	delete(r.held, l.id)
	r.removed[l.id] = true
	return nil
}

// keepHidden lets nobody else receive a letter while it takes long. Should it fail, the letter is sent twice.
func (r *run) keepHidden(ctx context.Context, l *Letter) {
	if time.Since(l.received) < r.Visibility/2 {
		return
	}
	if r.hide(ctx, r.Visibility, []string{r.held[l.id]}) == nil {
		l.received = time.Now()
	}
}

// release shows what stays in the queue again, also when ctx has ended. Should that fail, it is seen after Visibility.
func (r *run) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyTimeout)
	defer cancel()
	_ = r.hide(ctx, 0, slices.Collect(maps.Values(r.held)))
}
