package audit

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"pgregory.net/rapid"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/simulator"
)

func TestMain(m *testing.M) { servertest.Main(m) }

// TestSimulator delivers random histories of the source table in every way that the stream may, with crashes and lost
// answers in between. In the end the destination must hold what want says: see destination_test.go.
func TestSimulator(t *testing.T) {
	simulator.Run(t, simulator.Suite{
		Name:      "audit",
		Workload:  source,
		Database:  servertest.DynamoDB,
		Setup:     setup,
		New:       newConsumer,
		Read:      read,
		Want:      want,
		Schedules: 500,
	})
}

// source is the source table: what its items look like.
var source = simulator.Workload{
	Table: "Source",
	Key: func(group, n int) consumertest.Item {
		return consumertest.Item{"Id": consumertest.S(fmt.Sprintf("item %d-%d", group, n))}
	},
	Attributes: func(draw *rapid.T, _ int) consumertest.Item {
		return consumertest.Item{"Text": consumertest.S(simulator.Names().Draw(draw, "text"))}
	},
}

func newConsumer(cfg aws.Config) (consumer.Consumer, error) {
	writer, err := New(cfg, settings(cfg))
	if err != nil {
		return nil, err
	}
	return consumer.Each(writer), nil
}
