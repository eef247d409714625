package provision

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/sns"

	"sluice/deploy/local/template"
)

func (c Clients) createTopic(ctx context.Context, topic template.Topic) error {
	input := &sns.CreateTopicInput{Name: &topic.Name}
	if topic.FIFO {
		input.Attributes = map[string]string{
			"FifoTopic":                 "true",
			"ContentBasedDeduplication": fmt.Sprint(topic.ContentBasedDeduplication),
		}
	}
	created, err := c.SNS.CreateTopic(ctx, input)
	if err != nil {
		return err
	}
	if *created.TopicArn != topic.ARN { // functions have been told the other one
		return fmt.Errorf("its ARN is %s, want %s", *created.TopicArn, topic.ARN)
	}
	return nil
}

func (c Clients) subscribe(ctx context.Context, subscription template.Subscription) error {
	attributes := map[string]string{"RawMessageDelivery": fmt.Sprint(subscription.Raw)}
	if subscription.FilterPolicy != "" {
		attributes["FilterPolicy"] = subscription.FilterPolicy
	}
	if subscription.FilterPolicyScope != "" {
		attributes["FilterPolicyScope"] = subscription.FilterPolicyScope
	}
	_, err := c.SNS.Subscribe(ctx, &sns.SubscribeInput{
		TopicArn:   &subscription.TopicARN,
		Protocol:   new("sqs"),
		Endpoint:   &subscription.QueueARN,
		Attributes: attributes,
	})
	return err
}
