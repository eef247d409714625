package servertest

import (
	"iter"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

const (
	longestPoll = 20 // seconds: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html

	// visibility, in seconds, is short, so that messages whose answer got lost (the SDK
	// then asks again, and they are hidden by then) are soon seen again.
	visibility = 2
)

// Receive gives the bodies of Messages.
func Receive(t testing.TB, client *sqs.Client, url string) iter.Seq[string] {
	return func(yield func(body string) bool) {
		for m := range Messages(t, client, url) {
			if !yield(*m.Body) {
				return
			}
		}
	}
}

// Messages takes messages from a queue, with all of their attributes, for as long as the
// caller wants more. A message can come twice. The test fails if none comes for twenty
// seconds.
func Messages(t testing.TB, client *sqs.Client, url string) iter.Seq[types.Message] {
	return func(yield func(types.Message) bool) {
		for {
			out, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{
				QueueUrl: &url, MaxNumberOfMessages: 10, WaitTimeSeconds: longestPoll, VisibilityTimeout: visibility,
				MessageAttributeNames: []string{"All"}, MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
			})
			if err != nil {
				t.Fatalf("receive from %s: %v", url, err)
			}
			if len(out.Messages) == 0 {
				t.Fatalf("the queue %s holds no further messages", url)
			}
			for _, m := range out.Messages {
				if _, err := client.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle}); err != nil {
					t.Fatalf("delete a message from %s: %v", url, err)
				}
				if !yield(m) {
					return
				}
			}
		}
	}
}
