// Search's function. Its settings are in template.yaml.
package main

import (
	"github.com/aws/aws-sdk-go-v2/aws"

	"sluice/consumers/search"
	"sluice/shared/consumer"
)

func main() {
	consumer.Main("search", search.DefaultSettings(), func(cfg aws.Config, s search.Settings) (consumer.Consumer, error) {
		return search.New(cfg, s)
	})
}
