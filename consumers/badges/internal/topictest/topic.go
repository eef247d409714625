// Package topictest gives tests a topic on the real server, whose wire they can cut, and a queue that receives what it
// publishes.
package topictest

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Topic is a topic on the real server, with a queue that receives what it publishes.
type Topic struct {
	SNS  *sns.Client // makes its calls over Line
	ARN  string
	Line *Line

	queue *sqs.Client
	url   string
}

// New creates a topic and its queue. The topic's client repeats no call by itself, so that
// a test sees each call's end.
func New(t *testing.T, cfg aws.Config, name string) *Topic {
	t.Helper()
	s := &Topic{Line: &Line{}, queue: sqs.NewFromConfig(cfg)}
	direct := sns.NewFromConfig(cfg)
	var attributes map[string]string
	if strings.HasSuffix(name, ".fifo") {
		attributes = map[string]string{"FifoTopic": "true"}
	}
	topic, err := direct.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: &name, Attributes: attributes})
	if err != nil {
		t.Fatalf("create topic: %v", err)
	}
	queue, err := s.queue.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("subscriber")})
	if err != nil {
		t.Fatalf("create queue: %v", err)
	}
	s.url = *queue.QueueUrl
	described, err := s.queue.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: &s.url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn},
	})
	if err != nil {
		t.Fatalf("describe queue: %v", err)
	}
	if _, err := direct.Subscribe(t.Context(), &sns.SubscribeInput{
		TopicArn: topic.TopicArn, Protocol: aws.String("sqs"), Endpoint: aws.String(described.Attributes["QueueArn"]),
		Attributes: map[string]string{"RawMessageDelivery": "true"},
	}); err != nil {
		t.Fatalf("subscribe: %v", err)
	}
	s.ARN = *topic.TopicArn
	s.SNS = sns.NewFromConfig(cfg, func(o *sns.Options) {
		o.HTTPClient = &http.Client{Transport: s.Line}
		o.Retryer = aws.NopRetryer{}
	})
	return s
}

// Received empties the queue and returns what was in it, in order. The server hands a
// message to the queue before it confirms it, so what isn't there now never comes.
func (s *Topic) Received(t *testing.T) []types.Message {
	t.Helper()
	messages, err := Drain(t.Context(), s.queue, s.url)
	if err != nil {
		t.Fatal(err)
	}
	return messages
}

// ReceivedIDs returns how often each notice came.
func (s *Topic) ReceivedIDs(t *testing.T) map[string]int {
	t.Helper()
	times := map[string]int{}
	for _, m := range s.Received(t) {
		times[*m.MessageAttributes["id"].StringValue]++
	}
	return times
}

// Drain takes all messages from a queue, each once, in order. It asks the queue whether
// any are left: an answer without messages doesn't say so.
func Drain(ctx context.Context, client *sqs.Client, url string) ([]types.Message, error) {
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
