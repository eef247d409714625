// The badges' function. Its settings are in template.yaml.
package main

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/caarlos0/env/v11"

	"sluice/consumers/badges"
	"sluice/shared/consumer"
)

func main() { consumer.Main("badges", newBadges) }

func newBadges(cfg aws.Config) (consumer.Consumer, error) {
	settings := badges.DefaultSettings()
	if err := env.Parse(&settings); err != nil {
		return nil, fmt.Errorf("read the environment: %w", err)
	}
	return badges.New(dynamodb.NewFromConfig(cfg), sns.NewFromConfig(cfg), settings)
}
