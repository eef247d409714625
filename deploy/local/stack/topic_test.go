package stack_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"sluice/deploy/local/servers/servertest"
	"sluice/deploy/local/stack"
)

// news has a topic of each kind. The outputs are as a consumer's function would be told.
const news = `
Resources:
  News:
    Type: AWS::SNS::Topic
  InOrder:
    Type: AWS::SNS::Topic
    Properties: {FifoTopic: true}
  Gold:
    Type: AWS::SQS::Queue
  GoldNews:
    Type: AWS::SNS::Subscription
    Properties:
      TopicArn: !Ref News
      Protocol: sqs
      Endpoint: !GetAtt Gold.Arn
      RawMessageDelivery: true
      FilterPolicy: {level: [gold, {numeric: [">", 9]}]}
  All:
    Type: AWS::SQS::Queue
  AllInOrder:
    Type: AWS::SNS::Subscription
    Properties: {TopicArn: !Ref InOrder, Protocol: sqs, Endpoint: !GetAtt All.Arn, RawMessageDelivery: true}
Outputs:
  News: {Value: !Ref News}
  InOrder: {Value: !GetAtt InOrder.TopicArn}
  Gold: {Value: !Ref Gold}
  All: {Value: !Ref All}
`

// Fails for a stack that makes no topics, or others than the functions are told, one that loses a subscription's
// filter or its numbers, and one whose FIFO topics are none.
func TestTopics(t *testing.T) {
	checkout := t.TempDir()
	if err := os.Mkdir(filepath.Join(checkout, "deploy"), 0o755); err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{"news.yaml": news}
	for _, name := range []string{"stream.yaml", "pets.yaml"} {
		text, err := os.ReadFile(filepath.Join(root, "deploy", name))
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = string(text)
	}
	for name, text := range texts {
		if err := os.WriteFile(filepath.Join(checkout, "deploy", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	info := start(t, stack.Options{Root: checkout, RunDir: t.TempDir()}).Info()
	topics, queues := sns.NewFromConfig(info.AWS()), sqs.NewFromConfig(info.AWS())
	outputs := info.Outputs["news"]
	publish := func(input *sns.PublishInput) {
		t.Helper()
		if _, err := topics.Publish(t.Context(), input); err != nil {
			t.Fatal(err)
		}
	}
	levelled := func(kind, value string) map[string]snstypes.MessageAttributeValue {
		return map[string]snstypes.MessageAttributeValue{"level": {DataType: &kind, StringValue: &value}}
	}
	receive := func(queue string, n int) []string {
		t.Helper()
		var bodies []string
		for body := range servertest.Receive(t, queues, outputs[queue]) {
			if bodies = append(bodies, body); len(bodies) == n {
				break
			}
		}
		return bodies
	}

	for _, message := range []sns.PublishInput{
		{Message: aws.String("none")},
		{Message: aws.String("silver"), MessageAttributes: levelled("String", "silver")},
		{Message: aws.String("gold"), MessageAttributes: levelled("String", "gold")},
		{Message: aws.String("nine"), MessageAttributes: levelled("Number", "9")},
		{Message: aws.String("ten"), MessageAttributes: levelled("Number", "10")},
	} {
		message.TopicArn = aws.String(outputs["News"])
		publish(&message)
	}
	if got, want := receive("Gold", 2), []string{"gold", "ten"}; !slices.Equal(got, want) {
		t.Errorf("the queue that is subscribed with a filter has %q, want %q", got, want)
	}

	for _, text := range []string{"a", "b", "a"} { // the third repeats the first
		publish(&sns.PublishInput{
			TopicArn: aws.String(outputs["InOrder"]), Message: &text,
			MessageGroupId: aws.String("g"), MessageDeduplicationId: &text,
		})
	}
	publish(&sns.PublishInput{
		TopicArn: aws.String(outputs["InOrder"]), Message: aws.String("end"),
		MessageGroupId: aws.String("g"), MessageDeduplicationId: aws.String("end"),
	})
	if got, want := receive("All", 3), []string{"a", "b", "end"}; !slices.Equal(got, want) {
		t.Errorf("the queue that is subscribed to the FIFO topic has %q, want %q", got, want)
	}
}
