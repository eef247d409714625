package cli

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"sluice/cli/verb"
	"sluice/consumers/badges"
	badgesops "sluice/consumers/badges/ops"
	leaderboardops "sluice/consumers/leaderboard/ops"
	"sluice/deploy/local/servers/servertest"
	"sluice/pipeline"
)

// account is one of ministack's, to which the environment leads the AWS SDK, also of the commands that a test runs.
func account(t *testing.T) (cfg, tables aws.Config) {
	t.Helper()
	cfg = servertest.Ministack(t)
	key, err := cfg.Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tables = servertest.DynamoDB(t)
	for name, value := range map[string]string{
		"AWS_REGION": cfg.Region, "AWS_ACCESS_KEY_ID": key.AccessKeyID, "AWS_SECRET_ACCESS_KEY": key.SecretAccessKey,
		"AWS_ENDPOINT_URL": *cfg.BaseEndpoint, "AWS_ENDPOINT_URL_DYNAMODB": *tables.BaseEndpoint,
	} {
		t.Setenv(name, value)
	}
	tables.Credentials = cfg.Credentials
	return cfg, tables
}

// deployGame makes a stack with the outputs of consumers/leaderboard/template.yaml
// in a CloudFormation, and the environment that leads the AWS SDK there.
func deployGame(t *testing.T, outputs string) aws.Config {
	t.Helper()
	cfg, tables := account(t)
	deploy(t, cfg, `{"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}, "Outputs": `+outputs+`}`)
	return tables
}

// deploy makes stack game of a template, and waits until it is there.
func deploy(t *testing.T, cfg aws.Config, template string) {
	t.Helper()
	deployAs(t, cfg, "game", template)
}

// deployAs is deploy of a stack with another name.
func deployAs(t *testing.T, cfg aws.Config, name, template string) {
	t.Helper()
	client := cloudformation.NewFromConfig(cfg)
	if _, err := client.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: &name, TemplateBody: &template}); err != nil {
		t.Fatal(err)
	}
	waiter := cloudformation.NewStackCreateCompleteWaiter(client, func(o *cloudformation.StackCreateCompleteWaiterOptions) {
		o.MinDelay, o.MaxDelay = 50*time.Millisecond, time.Second
	})
	if err := waiter.Wait(t.Context(), &cloudformation.DescribeStacksInput{StackName: &name}, time.Minute); err != nil {
		t.Fatal(err)
	}
}

// gameOutputs are those of a stack of the leaderboard.
var gameOutputs = map[string]string{
	"ScoreTable": "Scores", "BoardTable": "Board", "BoxTable": "Boxes", "RankTable": "Ranks", "BoardShards": "4",
	"PetTable": "Pets", "LedgerTable": "Ledger", "SubtractExpired": "true", "Horizon": "400h",
}

// outputsOf writes outputs as a template does.
func outputsOf(t *testing.T, outputs map[string]string) string {
	t.Helper()
	values := map[string]map[string]string{}
	for name, value := range outputs {
		values[name] = map[string]string{"Value": value}
	}
	text, err := json.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestDeployedStack(t *testing.T) {
	cfg := deployGame(t, outputsOf(t, gameOutputs))
	client := dynamodb.NewFromConfig(cfg)
	servertest.CreateTable(t, client, "Scores", "UserId", "Timestamp")
	if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("Scores"), Item: map[string]types.AttributeValue{
		"UserId": &types.AttributeValueMemberS{Value: "reed"}, "Timestamp": &types.AttributeValueMemberS{Value: "2026"}, "Score": &types.AttributeValueMemberN{Value: "7"},
	}}); err != nil {
		t.Fatal(err)
	}
	for name, table := range map[string]string{"": "Board", "leaderboard": "Board", "weekly": "Boxes"} {
		board, err := leaderboardops.FindBoard(t.Context(), verb.PipelineFlags{Stack: "game"}, pipeline.Declared, name)
		if err != nil {
			t.Fatal(err)
		}
		if board.Source != "Scores" || board.Table != table || board.Shards() != 4 {
			t.Errorf("board %q: %+v", name, board)
		}
	}
	want(t, t.TempDir(), []string{"history", "reed", "--stack", "game"}, "2026  7")
}

// nestedTemplate puts the template of a consumer's stack into a bucket, and returns the resource of a stack that nests it.
func nestedTemplate(t *testing.T, cfg aws.Config, consumer string, outputs map[string]string) string {
	t.Helper()
	outputs = maps.Clone(outputs)
	outputs["Consumer"] = consumer
	client := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	bucket := servertest.CreateBucket(t, client)
	if _, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &consumer, Body: strings.NewReader(deployedTemplate(t, outputs))}); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(`{"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "https://s3.amazonaws.com/%s/%s"}}`, bucket, consumer)
}

// Verbs find their consumer in the stack around all consumers, too.
func TestStackAroundConsumers(t *testing.T) {
	cfg, tables := account(t)
	queue, err := sqs.NewFromConfig(cfg).CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("letters")})
	if err != nil {
		t.Fatal(err)
	}
	servertest.CreateTable(t, dynamodb.NewFromConfig(tables), "Scores", "UserId", "Timestamp")
	leaderboard := maps.Clone(gameOutputs)
	leaderboard["DeadLetterQueue"] = *queue.QueueUrl
	deploy(t, cfg, `{"Resources": {"Leaderboard": `+nestedTemplate(t, cfg, "leaderboard", leaderboard)+
		`, "Badges": `+nestedTemplate(t, cfg, "badges", map[string]string{"ScoreTable": "Plays"})+`}}`)
	dir := t.TempDir()
	want(t, dir, []string{"redrive", "leaderboard", "--list", "--stack", "game"}, "leaderboard has no dead letters.")
	for args, texts := range map[string][]string{
		"history reed --stack game":        {"reed"}, // has no scores, says the table
		"backfill badges --stack game":     {"stack game-Badges", "has no output AchievementTable"},
		"verify badges --stack game":       {"stack game-Badges", "has no output AchievementTable"},
		"backfill search --stack game":     {"stack game has no consumer search, nor has one nested in it, but ", "badges"},
		"verify search --stack game":       {"stack game has no consumer search"},
		"redrive replication --stack game": {"stack game has no consumer replication"},
	} {
		out, code := run(t, dir, strings.Fields(args)...)
		if code == 0 && !strings.HasPrefix(args, "history") {
			t.Errorf("sluice %s: exit 0", args)
		}
		wantTexts(t, out, texts...)
	}
	out, code := run(t, dir, "verify", "--stack", "game")
	if code == 0 {
		t.Error("sluice verify: exit 0, though badges can't be compared")
	}
	wantTexts(t, out, "stack game-Badges", "stack game has no consumer search", "stack game has no consumer replication")
	if _, faults, _ := strings.Cut(out, "sluice verify: "); strings.Contains(faults, "search") || !strings.Contains(faults, "badges: ") {
		t.Errorf("a consumer that isn't in the stack counts as a fault: %s", faults)
	}
}

func TestDeployedStackOfSomethingElse(t *testing.T) {
	deployGame(t, `{"BoardTable": {"Value": "Board"}, "BoardShards": {"Value": "many"}}`)
	_, err := leaderboardops.FindBoard(t.Context(), verb.PipelineFlags{Stack: "game"}, pipeline.Declared, "")
	if err == nil {
		t.Fatal("a stack without a score table was taken")
	}
	wantTexts(t, err.Error(), "stack game has no output LedgerTable", "stack game has no output Horizon", "consumers/leaderboard/template.yaml")
	_, err = leaderboardops.FindBoard(t.Context(), verb.PipelineFlags{Stack: "other"}, pipeline.Declared, "")
	if err == nil || !strings.Contains(err.Error(), "look up stack other") {
		t.Errorf("error %v, want one that names the stack", err)
	}
}

// The badges of a deployed stack are found by its outputs, and those that are missing
// are named.
func TestDeployedBadges(t *testing.T) {
	deployGame(t, `{"ScoreTable": {"Value": "Scores"}, "PetTable": {"Value": "Pets"}, "AchievementTable": {"Value": "Awards"}, "StateTable": {"Value": "State"},
		"LedgerTable": {"Value": "Ledger"}, "TopicArn": {"Value": "arn:aws:sns:us-east-1:000000000000:badges"}, "NoticeLanguage": {"Value": "de"}, "SubtractExpiredPlays": {"Value": "false"}, "Horizon": {"Value": "400h"}}`)
	part, err := verb.PipelineFlags{Stack: "game"}.Part(t.Context(), "badges")
	if err != nil {
		t.Fatal(err)
	}
	_, s, err := badgesops.Open(part, pipeline.Declared, 1)
	if err != nil {
		t.Fatal(err)
	}
	d, err := part.Settle(pipeline.Declared, badges.RulesFile)
	if err != nil {
		t.Fatal(err)
	}
	book, err := s.Rules(d)
	if err != nil {
		t.Fatal(err)
	}
	if s.AchievementTable != "Awards" || s.StateTable != "State" || s.LedgerTable != "Ledger" ||
		s.TopicARN != "arn:aws:sns:us-east-1:000000000000:badges" || s.Language != "de" || s.Horizon != 400*time.Hour || book.Plays[0].Table != "Scores" {
		t.Errorf("settings %+v", s)
	}
	out, code := run(t, t.TempDir(), "player", "reed", "--stack", "game")
	if code != 1 {
		t.Errorf("exit %d, want 1: the badges' stack was taken for the leaderboard's", code)
	}
	wantTexts(t, out, "stack game has no output BoardTable", "consumers/leaderboard/template.yaml")
}

func TestDeployedBadgesOfSomethingElse(t *testing.T) {
	deployGame(t, `{"ScoreTable": {"Value": "Scores"}, "Horizon": {"Value": "long"}}`)
	part, err := verb.PipelineFlags{Stack: "game"}.Part(t.Context(), "badges")
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = badgesops.Open(part, pipeline.Declared, 1)
	if err == nil {
		t.Fatal("a stack without achievements was taken")
	}
	wantTexts(t, err.Error(), "stack game has no output AchievementTable", `output Horizon of stack game is "long": `, "consumers/badges/template.yaml")
}
