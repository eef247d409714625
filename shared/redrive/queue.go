package redrive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
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

	// tidyTimeout bounds what is done when the run has been told to end, besides tidyEach for each message.
	tidyTimeout = 10 * time.Second
	tidyEach    = 5 * time.Millisecond

	// callTimeout is how long a call of the queue may take, the SDK's own retries included.
	callTimeout = 20 * time.Second

	// maxCalls is how many calls of the queue are made side by side.
	maxCalls = 8
)

// call makes one call of the queue, whose doing errors name.
func (r *Redrive) call(ctx context.Context, doing string, call func(context.Context) error) error {
	timeout := cmp.Or(r.timeout, callTimeout)
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err := call(limited)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case limited.Err() != nil:
		return fmt.Errorf("%s %s: no answer within %v", doing, r.URL, timeout)
	}
	return fmt.Errorf("%s %s: %w", doing, r.URL, err)
}

// Waiting returns about how many messages wait in a queue, and how many more are hidden, in the hands of somebody.
func Waiting(ctx context.Context, client *sqs.Client, url string) (visible, hidden int, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
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

// remove takes letters that are done out of the queue, also when ctx has ended: the function has answered.
func (r *run) remove(ctx context.Context, letters ...*Letter) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyTimeout)
	defer cancel()
	for _, l := range letters {
		if err := r.delete(ctx, l); err != nil {
			return fmt.Errorf("remove a dead letter, which is done and a duplicate if sent again: %w", err)
		}
		r.result.Removed++
	}
	return nil
}

func (r *run) delete(ctx context.Context, l *Letter) error {
	err := r.call(ctx, "delete from", func(ctx context.Context) error {
		_, err := r.SQS.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &r.URL, ReceiptHandle: aws.String(r.held[l.id].receipt)})
		return err
	})
	// An old receipt: it is gone already, by a call whose answer got lost, or somebody else is sending it as well.
	if _, old := errors.AsType[*sqstypes.ReceiptHandleIsInvalid](err); err != nil && !old {
		return err
	}
	delete(r.held, l.id)
	r.removed[l.id] = true
	return nil
}
