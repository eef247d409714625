package badges

import (
	"context"
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/shopspring/decimal"

	"sluice/consumers/badges/internal/awards"
	"sluice/consumers/badges/rule"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/simulator"
	"sluice/shared/consumertest/simulator/mutant"
)

// TestEveryGuardIsNeeded takes the guards out, one at a time; each time the simulator
// must find badges missing, or not told, or told of nothing.
func TestEveryGuardIsNeeded(t *testing.T) {
	env := []string{
		servertest.DynamoDBVariable + "=" + *servertest.DynamoDB(t).BaseEndpoint, // one of each for all
		servertest.MinistackVariable + "=" + *servertest.Ministack(t).BaseEndpoint,
	}
	mutant.Run(t, mutant.Test{Name: "TestSimulator", Args: []string{"-simulator.schedules=300", "-simulator.seed=1"}, Env: env}, []mutant.Mutant{
		{
			Name: "what duplicates may have earned is looked for",
			File: "earned.go",
			Old:  `e.unsure = e.unsure || before == nil`,
			New:  `if before == nil { before = now[of] }`,
		},
		{
			Name: "what was stored and not told is told",
			File: "internal/awards/player.go",
			Old:  "	p.tellLater(a)\n",
			New:  "	if a.AwardedAt == p.giver.Now().UTC().Format(time.RFC3339Nano) {\n		p.tellLater(a)\n	}\n",
		},
		{
			Name: "several changes cross a threshold together",
			File: "earned.go",
			Old:  `before[name] = sum.Sub(t.Added[name])`,
			New:  `before[name] = sum.Sub(decimal.Min(decimal.NewFromInt(1), t.Added[name]))`,
		},
		{
			Name: "badges that others need are looked for among all",
			File: "internal/awards/player.go",
			Old:  `if p.wrote {`,
			New:  `if false {`,
		},
	})
	mutant.Run(t, mutant.Test{Name: "TestSimulatorTwoTables", Args: []string{"-simulator.schedules=300", "-simulator.seed=1"}, Env: env}, []mutant.Mutant{
		{
			Name: "a rule counts the plays that it names",
			File: "rule/parse_plays.go",
			Old:  `b.Plays = r.book.block(b.from)`,
			New:  `b.Plays = r.book.Plays[0]`,
		},
		{
			Name: "what is near an item is of the same plays",
			File: "rule/kind.go",
			Old:  `return r.prefix() + labelOf(day-span), r.prefix() + labelOf(min(day+span, lastDay))`,
			New:  `return unitDay + ofBox + labelOf(day-span), unitDay + ofBox + labelOf(min(day+span, lastDay))`,
		},
		{
			Name: "each block has its own zone",
			File: "rule/views.go",
			Old:  `v["box"] = object{"of": at, "unit": looks.unit, "zone": zoneOf(p.zone)}`,
			New:  `v["box"] = object{"of": at, "unit": looks.unit, "zone": "UTC"}`,
		},
	})
	mutant.Run(t, mutant.Test{Name: "TestBlocksForThemselves", Says: "want", Env: env}, []mutant.Mutant{
		{
			Name: "a day that has come is looked at for each block",
			File: "memory.go",
			Old:  `days[slices.Index(m.blocks, plays)]`,
			New:  `days[min(0, slices.Index(m.blocks, plays))]`,
		},
		{
			Name: "an award has the time of a play that its rule counts",
			File: "internal/awards/player.go",
			Old:  `play.Of == r.Plays`,
			New:  `true`,
		},
		{
			Name: "whether expired plays count is said by each block",
			File: "rule/views.go",
			Old:  `"subtractExpired": p.SubtractExpired`,
			New:  `"subtractExpired": true`,
		},
	})
	mutant.Run(t, mutant.Test{Name: "TestTopicDown|TestTableDown", Says: "want", Env: env}, []mutant.Mutant{
		{
			Name: "a change whose award isn't told comes again",
			File: "internal/awards/giver.go",
			Old:  `if changes != nil || consumer.OutcomeOf(err) == consumer.Retry {`,
			New:  `if consumer.OutcomeOf(err) != consumer.Retry {`,
		},
		{
			Name: "a change whose award isn't stored comes again",
			File: "badges.go",
			Old:  `if err := b.awardPlayer(ctx, p); err != nil {`,
			New:  `if err := b.awardPlayer(ctx, p); consumer.OutcomeOf(err) == consumer.Rejected {`,
		},
		{
			Name: "an award is told once it is stored, and marked once it is told",
			File: "internal/awards/giver.go",
			Old:  `		if u.err == nil {`,
			New:  `		if true {`,
		},
	})
	mutant.Run(t, mutant.Test{Name: "TestDates", Says: "want", Env: env}, []mutant.Mutant{
		{
			Name: "a day is looked at once it has come",
			File: "earned.go",
			Old:  `b.memory.looksAt(p.awards.Name, plays, day)`,
			New:  `plays == nil`,
		},
	})
	mutant.Run(t, mutant.Test{Name: "TestSettledAmongOthers", Says: "want", Env: env}, []mutant.Mutant{
		{
			Name: "after a correction the state is looked at once more",
			File: "internal/awards/reconcile.go",
			Old:  `if !given && !revoked {`,
			New:  `if !given && !revoked || true {`,
		},
	})
}

// TestNaiveHandlerIsCaught awards as most handlers do: it counts each insert, and when the
// count is reached it stores the badge and tells it; an error is logged.
func TestNaiveHandlerIsCaught(t *testing.T) {
	s := simulation(t, false, "count")
	s.Schedules, s.Seed, s.Horizon = 20, 1, 0
	all := s.Want
	s.Want = func(changes []consumertest.Change) map[string]string {
		want := all(changes)
		maps.DeleteFunc(want, func(award, _ string) bool { return strings.HasSuffix(award, "#many") }) // the level that it doesn't know
		return want
	}
	start := s.New
	s.New = func(cfg aws.Config) (consumer.Consumer, error) {
		built, err := start(cfg)
		if err != nil {
			return nil, err
		}
		b := built.(*Badges)
		return consumer.Each(naive{b.giver.Store, b.giver.Topic.SNS, b.giver.Topic.ARN}), nil
	}
	failure, ran := simulator.Find(t, s)
	if failure == nil {
		t.Fatalf("%d schedules found nothing", ran)
	}
	t.Logf("after %d schedules:\n%s", ran, failure)
}

type naive struct {
	store *awards.Store
	topic *sns.Client
	arn   string
}

func (n naive) Apply(ctx context.Context, c *change.Change) error {
	name, err := c.New.String("Player")
	if id, _ := c.Keys.String("Id"); c.Kind != change.Insert || err != nil || id[:6] != "steady" {
		return nil
	}
	out, err := n.store.Client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &n.store.States, Key: map[string]types.AttributeValue{rule.AttrPlayer: &types.AttributeValueMemberS{Value: name}, rule.AttrOf: &types.AttributeValueMemberS{Value: "plays"}},
		UpdateExpression: aws.String("ADD Plays :one"), ReturnValues: types.ReturnValueAllNew,
		ExpressionAttributeValues: map[string]types.AttributeValue{":one": &types.AttributeValueMemberN{Value: "1"}},
	})
	const few = 3
	if err != nil || !awards.Tallies(out.Attributes)["Plays"].Equal(decimal.NewFromInt(few)) {
		return err
	}
	a := &awards.Achievement{Player: name, Award: rule.Award{Badge: "count", Level: "few"}}
	if _, _, err := n.store.Put(ctx, a); err != nil {
		return nil //nolint:nilerr // so it is in the documents: logged
	}
	body, err := json.Marshal(Message{ID: awards.NoticeID(name, a.Award), UserID: name, Badge: "count", Level: "few"})
	if err != nil {
		return err
	}
	_, _ = n.topic.Publish(ctx, &sns.PublishInput{
		TopicArn: &n.arn, Message: aws.String(string(body)),
		MessageAttributes: map[string]snstypes.MessageAttributeValue{"id": {DataType: aws.String("String"), StringValue: aws.String(awards.NoticeID(name, a.Award))}},
	})
	return nil
}
