// The function of audit. Its settings are in template.yaml.
package main

import (
	"github.com/aws/aws-sdk-go-v2/aws"

	"sluice/consumers/audit"
	"sluice/shared/consumer"
)

func main() { consumer.Main("audit", audit.Settings{}, newConsumer) }

func newConsumer(cfg aws.Config, s audit.Settings) (consumer.Consumer, error) {
	writer, err := audit.New(cfg, s)
	if err != nil {
		return nil, err
	}
	return consumer.Each(writer), nil
}
