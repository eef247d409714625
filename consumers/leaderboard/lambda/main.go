// The leaderboard's function. Its settings are in template.yaml.
package main

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/caarlos0/env/v11"

	"sluice/consumers/leaderboard"
	"sluice/shared/consumer"
)

func main() { consumer.Main("leaderboard", newLeaderboard) }

func newLeaderboard(cfg aws.Config) (consumer.Consumer, error) {
	settings := leaderboard.DefaultSettings()
	if err := env.Parse(&settings); err != nil {
		return nil, fmt.Errorf("read the environment: %w", err)
	}
	return leaderboard.New(dynamodb.NewFromConfig(cfg), settings)
}
