package badges

import (
	"context"
	"fmt"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"sluice/deploy/local/servers/servertest"
)

func TestMain(m *testing.M) { servertest.Main(m) }

// drain takes all messages from a queue, each once, in order. It asks the queue whether
// any are left: an answer without messages doesn't say so.
func drain(ctx context.Context, client *sqs.Client, url string) ([]types.Message, error) {
	var messages []types.Message
	seen := map[string]bool{} // a queue gives a message again if it isn't deleted in time
	for {
		left, err := held(ctx, client, url)
		if err != nil || left == 0 {
			return messages, err
		}
		out, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: &url, MaxNumberOfMessages: 10, WaitTimeSeconds: 20, VisibilityTimeout: 20,
			MessageAttributeNames:       []string{"All"},
			MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
		})
		if err != nil {
			return messages, fmt.Errorf("receive: %w", err)
		}
		if len(out.Messages) == 0 {
			continue
		}
		var done []types.DeleteMessageBatchRequestEntry
		for _, m := range out.Messages {
			if !seen[*m.MessageId] {
				seen[*m.MessageId] = true
				messages = append(messages, m)
			}
			done = append(done, types.DeleteMessageBatchRequestEntry{Id: m.MessageId, ReceiptHandle: m.ReceiptHandle})
		}
		if _, err := client.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &url, Entries: done}); err != nil {
			return messages, fmt.Errorf("delete: %w", err)
		}
	}
}

// held returns how many messages the queue has, those that were given and not deleted included.
func held(ctx context.Context, client *sqs.Client, url string) (int, error) {
	names := []types.QueueAttributeName{
		types.QueueAttributeNameApproximateNumberOfMessages, types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
	}
	out, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: names})
	if err != nil {
		return 0, fmt.Errorf("describe queue: %w", err)
	}
	sum := 0
	for _, name := range names {
		n, err := strconv.Atoi(out.Attributes[string(name)])
		if err != nil {
			return 0, fmt.Errorf("describe queue: %s: %w", name, err)
		}
		sum += n
	}
	return sum, nil
}
