package replication

import (
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"sluice/consumers/replication/internal/store"
	"sluice/consumers/replication/mark"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/simulator"
	"sluice/shared/consumertest/wire"
)

// The calls that each change costs, in all regions. Fails if one more is made: a
// write unit for each write of a small item, a read unit for each GetItem.
func TestMirrorCalls(t *testing.T) {
	cfg := servertest.DynamoDB(t)
	regions := []string{cfg.Region, away}
	for _, region := range regions {
		err := simulator.Recreate(t.Context(), inRegion(cfg, region), tableOf("Shared", "id", "S"), tableOf(DefaultTombstoneTable, store.TombstoneKey, "B"),
			tableOf(DefaultConflictTable, store.ConflictKey, "B", store.ConflictMark, "B"))
		if err != nil {
			t.Fatal(err)
		}
	}
	calls := map[string]int{}
	counted := cfg.Copy()
	counted.HTTPClient = &http.Client{Transport: &wire.Transport{Decide: func(c wire.Call) wire.Fault {
		calls[c.Operation]++
		return wire.None
	}}}
	names := uint64(0)
	mirror := newMirror(counted, DefaultSettings(), &Shared{Name: "shared", Table: "Shared", Regions: regions}, func() time.Time { return consumertest.Arrival },
		func() uint64 { names++; return names })
	mirror.keys.Store(&store.Keys{"id": "S"})
	client := dynamodb.NewFromConfig(cfg)
	key := consumertest.Item{"id": consumertest.S("x")}

	at := consumertest.Arrival
	for _, step := range []struct {
		name string
		text string // "": removed
		want map[string]int
	}{
		{"an insert", "a", map[string]int{"PutItem": 1, "UpdateItem": 1, "GetItem": 1}},
		{"a modify", "b", map[string]int{"PutItem": 1, "UpdateItem": 1}},
		{"a remove", "", map[string]int{"PutItem": 2, "UpdateItem": 1, "DeleteItem": 1, "GetItem": 1}},
	} {
		// As an application that puts whole items, whose images the change has.
		images := consumertest.Change{Table: "Shared", Keys: key}
		old, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("Shared"), Key: store.Item{"id": textValue("x")}, ConsistentRead: aws.Bool(true)})
		if err != nil {
			t.Fatal(err)
		}
		images.Old = withMark(key, old.Item)
		if step.text == "" {
			_, err = client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("Shared"), Key: store.Item{"id": textValue("x")}})
		} else {
			images.New = maps.Clone(key)
			images.New["text"] = consumertest.S(step.text)
			_, err = client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("Shared"), Item: store.Item{"id": textValue("x"), "text": textValue(step.text)}})
		}
		if err != nil {
			t.Fatal(err)
		}
		at = at.Add(time.Millisecond)
		images.Time = at
		c, err := change.Parse(images.Record())
		if err != nil {
			t.Fatal(err)
		}
		clear(calls)
		if errs := mirror.ApplyBatch(t.Context(), []*change.Change{c}); consumer.OutcomeOf(errs[0]) != consumer.Applied {
			t.Fatalf("%s: %v", step.name, errs[0])
		}
		if diff := cmp.Diff(step.want, calls); diff != "" {
			t.Errorf("%s makes other calls (-want +got):\n%s", step.name, diff)
		}
	}
}

// withMark returns an image of an item whose mark is as given; nil if there is none.
func withMark(key consumertest.Item, item store.Item) consumertest.Item {
	if item == nil {
		return nil
	}
	image := maps.Clone(key)
	m, err := mark.In(item)
	if err != nil {
		panic(err) // replication wrote it
	}
	image[mark.Attribute] = consumertest.Value{"M": consumertest.Item{mark.Field: consumertest.B([]byte(m))}}
	return image
}

// A region's function is held while another region's version is copied over one of its application's, which then writes on. Fails if
// the version that nobody had before him is in no log. The late function gets all three changes in one batch.
func TestUnseenVersionIsKept(t *testing.T) {
	cfg := servertest.DynamoDB(t)
	regions := []string{cfg.Region, away}
	for _, region := range regions {
		err := simulator.Recreate(t.Context(), inRegion(cfg, region), tableOf("Shared", "id", "S"), tableOf(DefaultTombstoneTable, store.TombstoneKey, "B"),
			tableOf(DefaultConflictTable, store.ConflictKey, "B", store.ConflictMark, "B"))
		if err != nil {
			t.Fatal(err)
		}
	}
	names := uint64(0)
	mirror := func(region string) *Mirror {
		return newMirror(inRegion(cfg, region), DefaultSettings(), &Shared{Name: "shared", Table: "Shared", Regions: regions}, func() time.Time { return consumertest.Arrival },
			func() uint64 { names++; return names })
	}
	at, key := consumertest.Arrival.Add(-time.Minute), store.Item{"id": textValue("x")}
	// write returns the change that a write makes of the item in a region.
	write := func(region string, do func(client *dynamodb.Client) error) *change.Change {
		t.Helper()
		client := dynamodb.NewFromConfig(inRegion(cfg, region))
		image := func() consumertest.Item {
			got, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("Shared"), Key: key, ConsistentRead: aws.Bool(true)})
			if err != nil {
				t.Fatal(err)
			}
			return imageOf(got.Item)
		}
		at = at.Add(time.Second)
		c := consumertest.Change{Table: "Shared", Keys: consumertest.Item{"id": consumertest.S("x")}, Time: at, Old: image()}
		if err := do(client); err != nil {
			t.Fatal(err)
		}
		c.New = image()
		parsed, err := change.Parse(c.Record())
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	put := func(text string) func(*dynamodb.Client) error {
		return func(client *dynamodb.Client) error {
			_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("Shared"), Item: store.Item{"id": textValue("x"), "text": textValue(text)}})
			return err
		}
	}
	unseen := write(cfg.Region, put("unseen"))
	winner := write(away, put("winner"))
	copied := write(cfg.Region, func(*dynamodb.Client) error {
		wantOutcomes(t, mirror(away).ApplyBatch(t.Context(), []*change.Change{winner}), consumer.Applied)
		return nil
	})
	next := write(cfg.Region, func(client *dynamodb.Client) error {
		_, err := client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: aws.String("Shared"), Key: key, UpdateExpression: aws.String("SET #text = :text"),
			ExpressionAttributeNames: map[string]string{"#text": "text"}, ExpressionAttributeValues: store.Item{":text": textValue("next")}})
		return err
	})
	late := mirror(cfg.Region)
	errs := late.ApplyBatch(t.Context(), []*change.Change{unseen, copied, next})
	wantOutcomes(t, errs, consumer.Stale, consumer.Skip, consumer.Applied)
	if n := late.Metrics()["ConflictsLost"]; n != 1 {
		t.Errorf("%d versions are counted as lost, want 1", n)
	}
	logged, err := dynamodb.NewFromConfig(cfg).Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String(DefaultConflictTable)})
	if err != nil {
		t.Fatal(err)
	}
	if len(logged.Items) != 1 || textOf(logged.Items[0][store.ConflictVersion+"text"]) != `"unseen"` {
		t.Errorf("the log has %v", logged.Items)
	}
}

// imageOf is an item in a change, with all that replication keeps in it.
func imageOf(item store.Item) consumertest.Item {
	if item == nil {
		return nil
	}
	image := consumertest.Item{}
	for name, v := range item {
		switch v := v.(type) {
		case *types.AttributeValueMemberS:
			image[name] = consumertest.S(v.Value)
		case *types.AttributeValueMemberN:
			image[name] = consumertest.N(v.Value)
		case *types.AttributeValueMemberB:
			image[name] = consumertest.B(v.Value)
		case *types.AttributeValueMemberM:
			image[name] = consumertest.Value{"M": imageOf(v.Value)}
		default:
			panic(v) // replication and this test write no other
		}
	}
	return image
}

func textValue(text string) types.AttributeValue { return &types.AttributeValueMemberS{Value: text} }
