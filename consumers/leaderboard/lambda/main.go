// The leaderboard's function. Its settings are in template.yaml.
package main

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/consumers/leaderboard"
	"sluice/shared/consumer"
)

func main() {
	consumer.Main("leaderboard", leaderboard.DefaultSettings(), func(cfg aws.Config, s leaderboard.Settings) (consumer.Consumer, error) {
		return leaderboard.New(dynamodb.NewFromConfig(cfg), s)
	})
}
