// Replication's function. Its settings are in template.yaml.
package main

import (
	"github.com/aws/aws-sdk-go-v2/aws"

	"sluice/consumers/replication"
	"sluice/shared/consumer"
)

func main() {
	consumer.Main("replication", replication.DefaultSettings(), func(cfg aws.Config, s replication.Settings) (consumer.Consumer, error) {
		return replication.New(replication.Tuned(cfg), s)
	})
}
