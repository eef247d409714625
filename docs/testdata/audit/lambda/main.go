// The function of audit. Its settings are in template.yaml.
package main

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/caarlos0/env/v11"

	"sluice/consumers/audit"
	"sluice/shared/consumer"
)

func main() { consumer.Main("audit", newConsumer) }

func newConsumer(cfg aws.Config) (consumer.Consumer, error) {
	var settings audit.Settings
	if err := env.Parse(&settings); err != nil {
		return nil, fmt.Errorf("read the environment: %w", err)
	}
	writer, err := audit.New(cfg, settings)
	if err != nil {
		return nil, err
	}
	return consumer.Each(writer), nil
}
