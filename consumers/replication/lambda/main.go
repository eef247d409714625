// Replication's function. Its settings are in template.yaml.
package main

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/caarlos0/env/v11"

	"sluice/consumers/replication"
	"sluice/shared/consumer"
)

func main() { consumer.Main("replication", newReplication) }

func newReplication(cfg aws.Config) (consumer.Consumer, error) {
	settings := replication.DefaultSettings()
	if err := env.Parse(&settings); err != nil {
		return nil, fmt.Errorf("read the environment: %w", err)
	}
	return replication.New(replication.Tuned(cfg), settings)
}
