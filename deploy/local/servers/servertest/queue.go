package servertest

import (
	"iter"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

const (
	longestPoll = 20 // seconds: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html

	// visibility, in seconds, is short: the SDK repeats a call whose answer got lost, and the messages are hidden by then.
	visibility = 2
)

// Receive takes messages from a queue. One can come twice. The test fails if none comes for twenty seconds.
func Receive(t testing.TB, client *sqs.Client, url string) iter.Seq[string] {
	return func(yield func(body string) bool) {
		for {
			out, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{
				QueueUrl: &url, MaxNumberOfMessages: 10, WaitTimeSeconds: longestPoll, VisibilityTimeout: visibility,
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
				if !yield(*m.Body) {
					return
				}
			}
		}
	}
}
