package badges

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"pgregory.net/rapid"

	"sluice/consumers/badges/internal/awards"
	"sluice/consumers/badges/internal/ruletest"
	"sluice/consumers/badges/internal/topictest"
	"sluice/consumers/badges/rule"
	"sluice/deploy/local/servers/servertest"
	"sluice/deploy/local/template"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/gametest"
	"sluice/shared/consumertest/simulator"
)

// TestSimulator delivers random histories of plays, some by the dozen, in every way that
// the stream may. Every badge that the plays earn must be stored once and told at least
// once with one id, and no other badge told.
func TestSimulator(t *testing.T) {
	s := simulation(t, false)
	s.Schedules = 300
	simulator.Run(t, s)
}

// TestSimulatorCorrections is TestSimulator for plays that are modified and removed, go
// to another player and another day, and for rules that take a badge back then.
func TestSimulatorCorrections(t *testing.T) {
	s := simulation(t, true)
	s.Schedules = 200
	simulator.Run(t, s)
}

// TestEveryCrash dies at every call of a history that earns badges of one item of the state,
// of several, and of other badges, which two pollers deliver at once, and parts of it again.
func TestEveryCrash(t *testing.T) {
	s := simulation(t, false, "nine", "count", "streak", "both", "quiet")
	s.Horizon = 0
	var changes []consumertest.Change
	for n, day := range []int{1, 2, 2, 2} {
		key := plays.Key(0, steady+n)
		image := consumertest.Item{"Player": consumertest.S("reed"), "At": consumertest.S(atDay(day)), "Score": consumertest.N("9"), "Game": consumertest.S([]string{"go", "chess"}[n%2])}
		changes = append(changes, consumertest.History(plays.Table, key, nil, image)...)
		changes[n].Time = consumertest.Arrival.Add(time.Duration(n-100) * time.Second)
	}
	simulator.EveryCrash(t, s, changes[:1], changes[2:], changes[1:3])
}

// steady is from which number on a group's items are never written again: bursts.
const steady = 3

// atDay is a time of a play.
func atDay(day int) string { return fmt.Sprintf("2025-11-%02dT18:30:00Z", day) }

// plays have identities of their own. Those that are written once only are called
// steady, and only they are plays for rules without revoke.
var plays = simulator.Workload{
	Table:  "Plays",
	Groups: 2,
	Key: func(group, n int) consumertest.Item {
		kind := "steady"
		if n < steady {
			kind = "moving"
		}
		return consumertest.Item{"Id": consumertest.S(fmt.Sprintf("%s-%d-%d", kind, group, n))}
	},
	Attributes: func(t *rapid.T, group int) consumertest.Item {
		item := consumertest.Item{
			"Player": consumertest.S(rapid.SampledFrom([]string{"reed", `ünï "🦦"`}).Draw(t, "player")),
			"At":     consumertest.S(atDay(rapid.SampledFrom([]int{1, 2, 3, 4, 6, 7, 9}).Draw(t, "day"))),
			"Score":  consumertest.N(rapid.SampledFrom([]string{"9", "9.0", "1", "0", "2.5"}).Draw(t, "score")),
		}
		if game := rapid.SampledFrom([]string{"", "go", "chess#", "日本"}).Draw(t, "game"); game != "" {
			item["Game"] = consumertest.S(game)
		}
		return item
	},
	Burst: 6,
}

// simulatedPlays are what the simulated rules count. What has expired is subtracted, so that the
// awards are those of the items that are left; TestExpiredPlays has it the other way.
const simulatedPlays = `
plays: {table: Plays, player: Player, at: At, zone: UTC, earliest: 2000-01-01, subtractExpired: true}
badges:
`

// simulatedRules declares the rules of each kind that looks at plays, with revoke or for steady plays only.
func simulatedRules(revoke bool) string {
	rules := ""
	for _, k := range ruletest.Kinds {
		for _, r := range k.Simulated {
			where, flag := r.Where, ""
			if revoke {
				flag = "revoke: true, "
			} else {
				where = strings.TrimPrefix(where+", Id: {prefix: steady}", ", ")
			}
			rules += fmt.Sprintf("  - {name: %s, %stitle: {en: t}, text: {en: \"{level} {of}\"}, where: {%s}, %s}\n", r.Name, flag, where, r.Rule)
		}
	}
	if !revoke {
		rules += furtherRules
	}
	return rules
}

// furtherRules are never revoked.
const furtherRules = `
  - {name: both, title: {en: t}, text: {en: x}, all: [nine, count#few]}
  - {name: all, title: {en: t}, text: {en: x}, all: [both, streak]}
  - {name: hello, title: {en: t}, text: {en: "{Player} {Score}"}, item: {table: Plays, player: Player, each: Id, where: {Id: {prefix: steady-0-}, Game: go}}}
  - {name: quiet, quiet: true, title: {en: t}, text: {en: x}, where: {Id: {prefix: steady}}, count: {plays: 2}}
`

const simulatedLedger = "Ledger"

// observed is what a lane's subscriber has received since its last schedule began.
type observed struct {
	settings Settings
	queue    string
	messages map[string]string // by id
}

// observers are the lanes' topics, each with a queue that is subscribed to it.
type observers struct {
	sync.Mutex
	cfg   aws.Config
	lanes map[string]*observed
}

// lane returns the observer of the worker whose database this is.
func (o *observers) lane(ctx context.Context, cfg aws.Config) (*observed, error) {
	credentials, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, err
	}
	o.Lock()
	defer o.Unlock()
	name := credentials.AccessKeyID
	if o.lanes[name] == nil {
		topic, queue, err := subscribe(ctx, o.cfg, name)
		if err != nil {
			return nil, err
		}
		settings := DefaultSettings()
		settings.LedgerTable, settings.TopicARN = simulatedLedger, topic
		o.lanes[name] = &observed{settings: settings, queue: queue}
	}
	return o.lanes[name], nil
}

// subscribe makes a topic, and a queue that gets what it publishes.
func subscribe(ctx context.Context, cfg aws.Config, name string) (topic, url string, err error) {
	topics, queues := sns.NewFromConfig(cfg), sqs.NewFromConfig(cfg)
	made, err := topics.CreateTopic(ctx, &sns.CreateTopicInput{Name: &name})
	if err != nil {
		return "", "", err
	}
	queue, err := queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name})
	if err != nil {
		return "", "", err
	}
	described, err := queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: queue.QueueUrl, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameQueueArn}})
	if err != nil {
		return "", "", err
	}
	_, err = topics.Subscribe(ctx, &sns.SubscribeInput{
		TopicArn: made.TopicArn, Protocol: aws.String("sqs"), Endpoint: aws.String(described.Attributes["QueueArn"]),
		Attributes: map[string]string{"RawMessageDelivery": "true"},
	})
	return *made.TopicArn, *queue.QueueUrl, err
}

// receive adds what has come since to the lane's messages. The server has put a message
// into the queue before it confirms it.
func (o *observers) receive(ctx context.Context, lane *observed) error {
	messages, err := topictest.Drain(ctx, sqs.NewFromConfig(o.cfg), lane.queue)
	for _, m := range messages {
		id, body := aws.ToString(m.MessageAttributes["id"].StringValue), *m.Body
		if before, again := lane.messages[id]; again && before != body {
			body = "two messages with one id: " + before + " and " + body
		}
		lane.messages[id] = body
	}
	return err
}

// simulation is of the simulated rules, or of those with these names only.
func simulation(t *testing.T, revoke bool, only ...string) simulator.Suite {
	rules := simulatedPlays + simulatedRules(revoke)
	if !revoke {
		everyKindIsIn(t, rules)
	}
	want := wantSteady
	if revoke {
		want = wantCorrected
	}
	return simulationOf(t, plays, onlyRules(rules, only), func(changes []consumertest.Change) map[string]string { return ofRules(want(changes), only) })
}

// onlyRules leaves out the rules with other names than these; none: with none.
func onlyRules(rules string, only []string) string {
	lines := slices.DeleteFunc(slices.Collect(strings.Lines(rules)), func(line string) bool {
		_, rest, _ := strings.Cut(line, "name: ")
		name, _, declared := strings.Cut(rest, ",")
		return declared && strings.Contains(line, "title: ") && len(only) > 0 && !slices.Contains(only, name)
	})
	return strings.Join(lines, "")
}

// simulationOf is of these rules.
func simulationOf(t *testing.T, workload simulator.Workload, rules string, want func([]consumertest.Change) map[string]string) simulator.Suite {
	o := &observers{cfg: servertest.Ministack(t), lanes: map[string]*observed{}}
	return simulator.Suite{
		Name: "badges", Workload: workload, Database: servertest.DynamoDB,
		Setup: func(ctx context.Context, cfg aws.Config) error {
			lane, err := o.lane(ctx, cfg)
			if err != nil {
				return err
			}
			lane.messages = map[string]string{}
			if err := o.receive(ctx, lane); err != nil {
				return err
			}
			lane.messages = map[string]string{}
			return makeTables(ctx, cfg, "")
		},
		New: func(cfg aws.Config) (consumer.Consumer, error) {
			lane, err := o.lane(context.Background(), cfg)
			if err != nil {
				return nil, err
			}
			book, err := lane.settings.Rules(gametest.With(RulesFile, "simulated.yaml", rules))
			if err != nil {
				return nil, err
			}
			topics := cfg.Copy()
			topics.BaseEndpoint, topics.Credentials = o.cfg.BaseEndpoint, o.cfg.Credentials
			return NewOf(dynamodb.NewFromConfig(cfg), sns.NewFromConfig(topics), lane.settings, book), nil
		},
		Read: func(ctx context.Context, cfg aws.Config) (map[string]string, error) {
			lane, err := o.lane(ctx, cfg)
			if err != nil {
				return nil, err
			}
			if err := o.receive(ctx, lane); err != nil {
				return nil, err
			}
			return readAwards(ctx, cfg, lane)
		},
		Want:    want,
		Horizon: DefaultHorizon, Forget: forgetLedger, ForgetsAfter: 25 * time.Hour,
	}
}

// everyKindIsIn fails if a kind of rule isn't among rules.
func everyKindIsIn(t *testing.T, rules string) {
	t.Helper()
	book, err := DefaultSettings().Rules(gametest.With(RulesFile, "simulated.yaml", rules))
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range rule.Kinds() {
		if !slices.ContainsFunc(book.Rules, func(r *rule.Rule) bool { return string(r.Kind) == kind }) {
			ruletest.Of(t, kind) // fails with what to add
			t.Fatalf("kind %q isn't simulated", kind)
		}
	}
}

// makeTables makes the tables of the template, or the one of this logical id, empty.
func makeTables(ctx context.Context, cfg aws.Config, only string) error {
	read, err := template.Read("template.yaml")
	if err != nil {
		return err
	}
	resources, err := read.Resolve(template.Scope{Region: servertest.Region, AccountID: "000000000000", StackName: "test", Parameters: map[string]string{"StreamArn": "arn:aws:kinesis:us-east-1:000000000000:stream/changes"}})
	if err != nil {
		return err
	}
	var tables []*dynamodb.CreateTableInput
	for _, table := range resources.Tables {
		if only != "" && table.LogicalID != only {
			continue
		}
		if table.LogicalID == "LedgerTable" {
			table.Name = simulatedLedger
		}
		tables = append(tables, &dynamodb.CreateTableInput{TableName: &table.Name, BillingMode: "PAY_PER_REQUEST", AttributeDefinitions: table.Attributes, KeySchema: table.Keys})
	}
	return simulator.Recreate(ctx, cfg, tables...)
}

// forgetLedger deletes the ledger's rows, all of which have expired by then.
func forgetLedger(ctx context.Context, cfg aws.Config) error {
	return makeTables(ctx, cfg, "LedgerTable")
}

// readAwards returns the awards that stand, with what was told of them, and what was told
// of anything else.
func readAwards(ctx context.Context, cfg aws.Config, lane *observed) (map[string]string, error) {
	out, err := dynamodb.NewFromConfig(cfg).Scan(ctx, &dynamodb.ScanInput{TableName: &lane.settings.AchievementTable, ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, err
	}
	told := map[string]bool{}
	items := map[string]string{}
	for _, item := range out.Items {
		a := awards.ReadAchievement(item)
		id := awards.NoticeID(a.Player, a.Award)
		told[id] = true
		text := "not told"
		if body, ok := lane.messages[id]; ok {
			text = "told"
			var m Message
			if err := json.Unmarshal([]byte(body), &m); err != nil || m.ID != id || m.UserID != a.Player || m.Badge != a.Award.Badge || m.Level != a.Award.Level || m.Of != a.Award.Of {
				text = "told as " + body
			}
		}
		if a.Pending != "" {
			text += ", not marked so"
		}
		if a.RevokedAt == "" {
			items[a.Player+" "+a.Award.Key()] = text
		}
	}
	for id, body := range lane.messages {
		if !told[id] {
			items["told of nothing, "+id] = body
		}
	}
	return items, nil
}
