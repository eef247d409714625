package simulator_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/simulator"
)

// What people write first to keep a table the same in two regions. Fails if the
// simulator doesn't tell what is wrong with each, soon.
func TestNaiveRegionsAreCaught(t *testing.T) {
	for _, test := range []struct {
		name  string
		apply func(ctx context.Context, there *dynamodb.Client, c *change.Change) error
		kinds []simulator.Kind
	}{
		{"every change is copied", copyAll, []simulator.Kind{simulator.Endless}},
		{"the last writer wins by time, removes leave nothing", lastTime, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := regionsSuite(test.apply)
			s.Schedules, s.Seed = 50, 1
			failure, ran := simulator.FindRegions(t, s, test.kinds...)
			if failure == nil {
				t.Fatalf("%d schedules found nothing wrong", ran)
			}
			if story := failure.Story; len(story) > 30 {
				failure.Story = append(story[:15:15], story[len(story)-15:]...)
			}
			t.Logf("after %d schedules:\n%s", ran, failure)
		})
	}
}

// A consumer that never has anything to do passes where there is only one writer's
// region. Fails if the kit finds differences by itself.
func TestRegionsWithoutWrites(t *testing.T) {
	s := regionsSuite(func(context.Context, *dynamodb.Client, *change.Change) error { return consumer.Skip })
	s.Names = s.Names[:1]
	s.Schedules = 25
	simulator.RunRegions(t, s)
}

func regionsSuite(apply func(context.Context, *dynamodb.Client, *change.Change) error) simulator.Regions {
	names := []string{"us-east-1", "eu-west-1"}
	return simulator.Regions{
		Name: "both ways", Names: names, Table: "Books",
		Key: func(n int) consumertest.Item {
			return consumertest.Item{"Isbn": consumertest.S(fmt.Sprint("book ", n))}
		},
		Attributes: func(t *rapid.T) consumertest.Item {
			return consumertest.Item{"Pages": consumertest.N(strconv.Itoa(rapid.IntRange(1, 9).Draw(t, "pages")))}
		},
		Own:      []string{"ChangedAt"},
		Database: servertest.DynamoDB,
		Setup: func(ctx context.Context, cfg aws.Config) error {
			return simulator.Recreate(ctx, cfg, &dynamodb.CreateTableInput{
				TableName: aws.String("Books"), BillingMode: types.BillingModePayPerRequest,
				AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("Isbn"), AttributeType: "S"}},
				KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("Isbn"), KeyType: "HASH"}},
			})
		},
		New: func(cfg aws.Config) (consumer.Consumer, error) {
			there := names[0]
			if cfg.Region == there {
				there = names[1]
			}
			client := dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) { o.Region = there })
			return consumer.Each(applier(func(ctx context.Context, c *change.Change) error { return apply(ctx, client, c) })), nil
		},
	}
}

type applier func(context.Context, *change.Change) error

func (a applier) Apply(ctx context.Context, c *change.Change) error { return a(ctx, c) }

func copyAll(ctx context.Context, there *dynamodb.Client, c *change.Change) error {
	if !c.New.Exists() {
		_, err := there.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String("Books"), Key: c.Keys.AttributeValues()})
		return err
	}
	_, err := there.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("Books"), Item: c.New.AttributeValues()})
	return err
}

// lastTime notes the time of a change in the copies, so that it knows them again.
func lastTime(ctx context.Context, there *dynamodb.Client, c *change.Change) error {
	old, _ := c.Old.Get("ChangedAt")
	now, _ := c.New.Get("ChangedAt")
	if now.Text() != "" && now.Text() != old.Text() {
		return consumer.Skip // a copy
	}
	at := &types.AttributeValueMemberN{Value: strconv.FormatInt(c.Version, 10)}
	newer := aws.String("attribute_not_exists(ChangedAt) OR ChangedAt < :at")
	values := map[string]types.AttributeValue{":at": at}
	var err error
	if c.New.Exists() {
		item := c.New.AttributeValues()
		item["ChangedAt"] = at
		_, err = there.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("Books"), Item: item, ConditionExpression: newer, ExpressionAttributeValues: values})
	} else {
		_, err = there.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String("Books"), Key: c.Keys.AttributeValues(), ConditionExpression: newer, ExpressionAttributeValues: values})
	}
	if refused(err) {
		return consumer.Stale
	}
	return err
}
