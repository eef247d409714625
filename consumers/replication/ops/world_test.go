package ops

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/consumers/replication"
	"sluice/consumers/replication/internal/store"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/gametest"
	"sluice/shared/consumertest/wire"
)

func TestMain(m *testing.M) { servertest.Main(m) }

const away = "eu-west-1"

func inRegion(cfg aws.Config, region string) aws.Config {
	cfg = cfg.Copy()
	cfg.Region = region
	return cfg
}

// world is a database with nothing in it but the tombstones of both regions.
type world struct {
	t      testing.TB
	config aws.Config
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, config: servertest.DynamoDB(t)}
	for _, region := range []string{servertest.Region, away} {
		w.create(region, tableOf(replication.DefaultTombstoneTable, store.TombstoneKey, "B"))
	}
	return w
}

func (w *world) client(region string) *dynamodb.Client {
	return dynamodb.NewFromConfig(inRegion(w.config, region))
}

func (w *world) create(region string, table *dynamodb.CreateTableInput) {
	w.t.Helper()
	if _, err := w.client(region).CreateTable(w.t.Context(), table); err != nil {
		w.t.Fatalf("create table %s in %s: %v", *table.TableName, region, err)
	}
}

// get reads an item in the copy's region.
func (w *world) get(table, id string) store.Item {
	w.t.Helper()
	out, err := w.client(away).GetItem(w.t.Context(), &dynamodb.GetItemInput{
		TableName: &table, Key: store.Item{"Id": textValue(id)}, ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return out.Item
}

// consumer serves the routes of a file.
func (w *world) consumer(routes string) *replication.Replication {
	w.t.Helper()
	settings := replication.DefaultSettings()
	read, err := replication.Routes(gametest.With(replication.ReplicasFile, "test.yaml", routes), w.config.Region)
	if err != nil {
		w.t.Fatal(err)
	}
	return replication.NewOf(w.config, settings, read, func() time.Time { return consumertest.Arrival })
}

// breaking is a client whose calls get no answer and do nothing once down says so.
func (w *world) breaking(down func(wire.Call) bool) *http.Client {
	return &http.Client{Transport: &wire.Transport{Decide: func(c wire.Call) wire.Fault {
		if down(c) {
			return wire.Crash
		}
		return wire.None
	}}}
}

func tableOf(name string, keys ...string) *dynamodb.CreateTableInput {
	in := &dynamodb.CreateTableInput{TableName: &name, BillingMode: types.BillingModePayPerRequest}
	kinds := []types.KeyType{types.KeyTypeHash, types.KeyTypeRange}
	for i := 0; i < len(keys); i += 2 {
		in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{AttributeName: &keys[i], AttributeType: types.ScalarAttributeType(keys[i+1])})
		in.KeySchema = append(in.KeySchema, types.KeySchemaElement{AttributeName: &keys[i], KeyType: kinds[i/2]})
	}
	return in
}

func textValue(text string) types.AttributeValue { return &types.AttributeValueMemberS{Value: text} }

// textOf returns an attribute's text in quotes.
func textOf(v types.AttributeValue) string {
	text, _ := v.(*types.AttributeValueMemberS)
	if text == nil {
		return ""
	}
	return strconv.Quote(text.Value)
}
