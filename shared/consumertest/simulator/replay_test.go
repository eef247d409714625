package simulator_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/simulator"
)

// Calls that ask for the same, made for several items at once, come to the wire in any
// order, and it matters which of them is refused. Fails, since a schedule that is played
// twice makes other calls, if that depends on who came first.
func TestSameCallsForSeveralItems(t *testing.T) {
	s := shelvesSuite
	s.Name, s.Workload = "tally", few()
	s.New = func(cfg aws.Config) (consumer.Consumer, error) {
		cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
		return consumer.Each(tally{dynamodb.NewFromConfig(cfg)}), nil
	}
	// It is wrong, as every plain ADD is: here only what it does counts.
	s.Read = func(context.Context, aws.Config) (map[string]string, error) { return nil, nil }
	s.Want = func([]consumertest.Change) map[string]string { return nil }
	s.Schedules = 250
	simulator.Run(t, s)
}

// tally counts all changes, each after a while.
type tally struct{ client *dynamodb.Client }

func (t tally) Apply(ctx context.Context, _ *change.Change) error {
	<-time.After(rand.N(time.Second)) // by the simulator's clock
	_, err := t.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                 aws.String("Copy"),
		Key:                       map[string]types.AttributeValue{"Isbn": &types.AttributeValueMemberS{Value: "tally"}},
		UpdateExpression:          aws.String("ADD Changes :one"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":one": &types.AttributeValueMemberN{Value: "1"}},
	})
	return err
}
