package deploy_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"sluice/deploy/local/bridge"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumertest/proof"
)

const replicaRegion = "eu-west-1"

// What README tells is done, with the real SAM CLI: everything is built, and deployed as one stack or a stack for each
// template. Then what is written to the tables reaches the destinations through the functions that were deployed.
func TestDeployWithSAM(t *testing.T) {
	proof.OnlyWhole(t, "it builds every function twice, and deploys nine stacks")
	built := newCloud(t).build("template.yaml")
	t.Run("alone", func(t *testing.T) {
		t.Parallel()
		deployEachAlone(newCloud(t), built)
	})
	t.Run("root", func(t *testing.T) {
		t.Parallel()
		deployRoot(newCloud(t), built)
	})
}

// Each template as it ships is a stack of its own. A write reaches all four destinations; where one consumer is removed the
// others go on.
func deployEachAlone(c *cloud, built string) {
	t := c.t
	search := *servertest.OpenSearch(t).BaseEndpoint
	secret, err := secretsmanager.NewFromConfig(c.config).CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{
		Name: aws.String("search"), SecretString: aws.String(`{"username": "sluice", "password": "of the test"}`),
	})
	if err != nil {
		t.Fatal(err)
	}

	stream := c.deploy(servertest.Region, "sluice-stream", "deploy/stream.yaml", nil)
	onStream := map[string]string{"StreamArn": stream["StreamArn"], "StreamName": stream["StreamName"]}
	dir := c.expanded(built)
	game := c.deploy(servertest.Region, "sluice-game", filepath.Join(dir, "Game", "template.yaml"), onStream)
	c.deploy(servertest.Region, "sluice-pets", filepath.Join(dir, "Pets", "template.yaml"), onStream)
	c.deploy(replicaRegion, "sluice-destination", "consumers/replication/destination.yaml", nil)
	consumer := func(name string, parameters map[string]string) map[string]string {
		parameters["StreamArn"] = stream["StreamArn"]
		return c.deploy(servertest.Region, "sluice-"+strings.ToLower(name), filepath.Join(dir, name, "template.yaml"), parameters)
	}
	consumer("Leaderboard", map[string]string{"BatchingWindowSeconds": "0"})
	consumer("Replication", map[string]string{"ReplicaRegion": replicaRegion})
	consumer("Search", map[string]string{"SearchEndpoint": search, "SearchAuth": "basic", "SearchSecretArn": *secret.ARN})
	badges := consumer("Badges", map[string]string{})

	notices := c.subscribe(badges["TopicArn"])
	c.carry(stream["StreamName"], "UserScoreEvents", "PetTracker", game["BoardTable"])

	play := c.play("ada", "2026-01-02 03:04:05.000001", 9)
	c.wantScore(game["BoardTable"], "ada", "9")
	c.wantCopy(play)
	c.wantDocument(search, "plays", `"player":"ada"`)
	c.wantDocument(search, "players", `"player":"ada"`)
	c.wantNotices(notices, "first-play", "nine")

	c.remove("sluice-badges")
	play = c.play("ada", "2026-01-02 03:04:05.000002", 4)
	c.wantScore(game["BoardTable"], "ada", "13")
	c.wantCopy(play)
}

// carry is the Kinesis destination's part: ministack has one, but its records lack the table's name.
func (c *cloud) carry(stream string, tables ...string) {
	c.t.Helper()
	client := dynamodb.NewFromConfig(c.config)
	config := bridge.Config{Streams: dynamodbstreams.NewFromConfig(c.config), DynamoDB: client, Kinesis: kinesis.NewFromConfig(c.config), Region: servertest.Region}
	for _, table := range tables {
		config.Tables = append(config.Tables, bridge.Table{Name: table, StreamName: stream, Precision: bridge.Microsecond})
		if _, err := client.UpdateTable(c.t.Context(), &dynamodb.UpdateTableInput{TableName: &table, StreamSpecification: &types.StreamSpecification{
			StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages,
		}}); err != nil {
			c.t.Fatal(err)
		}
	}
	b, err := bridge.New(config)
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(c.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	c.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			c.t.Error(err)
		}
	})
}

func (c *cloud) play(player, at string, score int) map[string]types.AttributeValue {
	c.t.Helper()
	item := map[string]types.AttributeValue{
		"UserId":    &types.AttributeValueMemberS{Value: player},
		"Timestamp": &types.AttributeValueMemberS{Value: at},
		"Score":     &types.AttributeValueMemberN{Value: fmt.Sprint(score)},
	}
	if _, err := dynamodb.NewFromConfig(c.config).PutItem(c.t.Context(), &dynamodb.PutItemInput{TableName: aws.String("UserScoreEvents"), Item: item}); err != nil {
		c.t.Fatal(err)
	}
	return item
}

func (c *cloud) item(region, table string, key map[string]types.AttributeValue) map[string]types.AttributeValue {
	c.t.Helper()
	out, err := dynamodb.NewFromConfig(c.config, func(o *dynamodb.Options) { o.Region = region }).GetItem(c.t.Context(),
		&dynamodb.GetItemInput{TableName: &table, Key: key, ConsistentRead: aws.Bool(true)})
	if err != nil {
		c.t.Fatal(err)
	}
	return out.Item
}

func (c *cloud) wantScore(table, player, want string) {
	c.t.Helper()
	await(c.t, "the board has "+want+" points of "+player, func() (bool, string) {
		score, _ := c.item(servertest.Region, table, map[string]types.AttributeValue{"UserId": &types.AttributeValueMemberS{Value: player}})["Score"].(*types.AttributeValueMemberN)
		return score != nil && score.Value == want, fmt.Sprintf("it has %+v", score)
	})
}

func (c *cloud) wantCopy(play map[string]types.AttributeValue) {
	c.t.Helper()
	key := map[string]types.AttributeValue{"UserId": play["UserId"], "Timestamp": play["Timestamp"]}
	await(c.t, "the play is in "+replicaRegion, func() (bool, string) {
		score, _ := c.item(replicaRegion, "UserScoreEvents", key)["Score"].(*types.AttributeValueMemberN)
		return score != nil && score.Value == play["Score"].(*types.AttributeValueMemberN).Value, fmt.Sprintf("its score there is %+v", score)
	})
}

func (c *cloud) wantDocument(endpoint, index, want string) {
	c.t.Helper()
	await(c.t, index+" has a document with "+want, func() (bool, string) {
		request, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, endpoint+"/"+index+"/_refresh", http.NoBody)
		if err != nil {
			c.t.Fatal(err)
		}
		fetch(c.t, request)
		if request, err = http.NewRequestWithContext(c.t.Context(), http.MethodGet, endpoint+"/"+index+"/_search", http.NoBody); err != nil {
			c.t.Fatal(err)
		}
		found := fetch(c.t, request)
		return strings.Contains(found, want), "the search finds " + found
	})
}

// subscribe makes a queue that gets what a topic publishes.
func (c *cloud) subscribe(topic string) (url string) {
	c.t.Helper()
	made, err := sqs.NewFromConfig(c.config).CreateQueue(c.t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("notices")})
	if err != nil {
		c.t.Fatal(err)
	}
	queue := fmt.Sprintf("arn:aws:sqs:%s:%s:notices", servertest.Region, c.account)
	if _, err := sns.NewFromConfig(c.config).Subscribe(c.t.Context(), &sns.SubscribeInput{TopicArn: &topic, Protocol: aws.String("sqs"), Endpoint: &queue}); err != nil {
		c.t.Fatal(err)
	}
	return *made.QueueUrl
}

// wantNotices waits until a notice of each of the badges has come.
func (c *cloud) wantNotices(url string, badges ...string) {
	c.t.Helper()
	missing := map[string]bool{}
	for _, badge := range badges {
		missing[badge] = true
	}
	for body := range servertest.Receive(c.t, sqs.NewFromConfig(c.config), url) {
		var delivery struct{ Message string }
		if err := json.Unmarshal([]byte(body), &delivery); err != nil {
			c.t.Fatalf("%v in %s", err, body)
		}
		for badge := range missing {
			if strings.Contains(delivery.Message, `"`+badge+`"`) {
				delete(missing, badge)
			}
		}
		if len(missing) == 0 {
			return
		}
	}
}
