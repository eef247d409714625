// The badges' function. Its settings are in template.yaml.
package main

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"sluice/consumers/badges"
	"sluice/shared/consumer"
)

func main() {
	consumer.Main("badges", badges.DefaultSettings(), func(cfg aws.Config, s badges.Settings) (consumer.Consumer, error) {
		return badges.New(dynamodb.NewFromConfig(cfg), sns.NewFromConfig(cfg), s)
	})
}
