package replication_test

import (
	"io/fs"
	"maps"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/consumers/replication/mark"
	"sluice/consumers/replication/ops"
	"sluice/deploy/local/rights"
	"sluice/deploy/local/rights/rightstest"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/gametest"
)

// abroad is the other region of these tests.
const abroad = "eu-west-1"

// score is a change of a player's score, made seconds before now; what is nil isn't there.
func score(player string, seconds int, before, after *string) consumertest.Change {
	keys := consumertest.Item{"UserId": consumertest.S(player), "Timestamp": consumertest.S("2026-01-02 03:04:05")}
	image := func(value *string) consumertest.Item {
		if value == nil {
			return nil
		}
		item := maps.Clone(keys)
		item["Score"] = consumertest.N(*value)
		return item
	}
	at := time.Now().Add(-time.Duration(seconds) * time.Second)
	return consumertest.Change{Table: gametest.ScoreTable, Time: at, Keys: keys, Old: image(before), New: image(after)}
}

// One way: the function's role allows what these batches need, and nothing else.
func TestRights(t *testing.T) {
	account := rightstest.NewAccount(t)
	account.Create(t, "destination.yaml", abroad, nil)
	f := rightstest.Start(t, account, rightstest.Suite{
		Template: "template.yaml",
		Pipeline: gametest.Pipeline.Files,
		Consumer: ops.Consumer,
		Keys:     map[string][]rights.Use{"TableKmsKeyArns": {rights.ForTables}},
	})
	one, two := score("reed", 3, nil, new("1")), score("maggy", 3, nil, new("2"))
	f.Invoke(one.Record())
	f.Invoke(score("reed", 1, new("1"), nil).Record())
	f.Invoke(one.Record(), two.Record()) // two look for tombstones at once
	f.Check()
}

// Both ways, by each rule: the function's role allows what these batches need, and nothing else.
func TestRightsBothWays(t *testing.T) {
	account := rightstest.NewAccount(t)
	for _, region := range []string{servertest.Region, abroad} {
		account.Create(t, "../../shared/consumertest/gametest/deploy/game.yaml", region, nil)
		account.Create(t, "shared.yaml", region, nil)
	}
	shared := func(rule string) fs.FS {
		return gametest.Files("replicas.yaml", "shared:\n  - name: game\n    table: UserScoreEvents\n    regions: [us-east-1, eu-west-1]\n    "+rule+"\n")
	}
	// put has an application write an item, or, with a mark, replication.
	put := func(region string, c consumertest.Change, state map[string]types.AttributeValue) {
		t.Helper()
		item := c.New.AttributeValues()
		if state != nil {
			item[mark.Attribute] = &types.AttributeValueMemberM{Value: state}
		}
		client := dynamodb.NewFromConfig(account.DynamoDB(region))
		if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &c.Table, Item: item}); err != nil {
			t.Fatal(err)
		}
	}
	// markedIn is the mark of a change of a time that was made in a region.
	markedIn := func(region string, at time.Time) map[string]types.AttributeValue {
		m := mark.New(at.UnixMicro(), at.UnixMicro(), 1, region)
		return map[string]types.AttributeValue{mark.Field: m.Value(), "b": &types.AttributeValueMemberB{Value: []byte("base")}}
	}
	older, newer := time.Now().Add(-time.Minute), time.Now().Add(time.Minute)

	f := rightstest.Start(t, account, rightstest.Suite{
		Template: "template.yaml",
		Pipeline: shared("conflicts: lastWriter"),
		Consumer: ops.Consumer,
		Keys:     map[string][]rights.Use{"TableKmsKeyArns": {rights.ForTables}},
	})
	inserted := score("reed", 5, nil, new("1"))
	put("", inserted, nil)
	f.Invoke(inserted.Record())
	f.Invoke(score("reed", 1, new("1"), nil).Record())
	overwritten := score("maggy", 5, nil, new("1")) // here by a copy, and there by another writer
	put("", overwritten, markedIn(abroad, older))
	put(abroad, overwritten, markedIn(abroad, older))
	f.Invoke(overwritten.Record())
	f.Invoke(score("maggy", 1, new("1"), nil).Record())
	lost := score("alyssa", 5, nil, new("1"))
	put("", lost, nil)
	put(abroad, lost, markedIn(abroad, newer))
	f.Invoke(lost.Record())

	f.Declare(shared("conflicts: owner\n    owners: [{attribute: UserId, prefix: eu-, region: eu-west-1}]"))
	f.Invoke(score("owned", 5, nil, new("1")).Record())
	f.Invoke(score("owned", 1, new("1"), nil).Record())
	f.Invoke(score("eu-theirs", 5, nil, new("1")).Record())

	f.Declare(shared("conflicts: attribute\n    attribute: Score"))
	f.Invoke(score("ranked", 5, nil, new("1")).Record())
	f.Invoke(score("ranked", 4, new("2"), new("1")).Record()) // lowered, which is undone
	f.Invoke(score("ranked", 1, new("2"), nil).Record())
	f.Check()
}
