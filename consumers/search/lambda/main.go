// Search's function. Its settings are in template.yaml.
package main

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/caarlos0/env/v11"

	"sluice/consumers/search"
	"sluice/shared/consumer"
)

func main() { consumer.Main("search", newSearch) }

func newSearch(cfg aws.Config) (consumer.Consumer, error) {
	settings := search.DefaultSettings()
	if err := env.Parse(&settings); err != nil {
		return nil, fmt.Errorf("read the environment: %w", err)
	}
	return search.New(cfg, settings)
}
