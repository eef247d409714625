package ops

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"sluice/consumers/replication"
	"sluice/consumers/replication/internal/oneway"
	"sluice/consumers/replication/internal/store"
	"sluice/consumers/replication/mark"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/operate"
)

// marked is an item with a text and the mark of a change made in a region.
func marked(id, text, region string, at time.Time) store.Item {
	µs := at.UnixMicro()
	return store.Item{
		"Id": textValue(id), "text": textValue(text),
		mark.Attribute: &types.AttributeValueMemberM{Value: store.Item{mark.Field: mark.New(µs, µs, 1, region).Value()}},
	}
}

// Each kind of difference of a shared table, found and repaired. Fails if an older
// version is brought over a newer one, a removed item back, or what is overwritten
// isn't kept.
func TestVerifyAndRepairShared(t *testing.T) {
	w := newWorld(t)
	regions := []string{servertest.Region, away}
	for _, region := range regions {
		w.create(region, tableOf("Orders", "Id", "S"))
		w.create(region, tableOf(replication.DefaultConflictTable, store.ConflictKey, "B", store.ConflictMark, "B"))
	}
	p := sharedPairs(w.config, replication.DefaultSettings(), []*replication.Shared{{Name: "orders", Table: "Orders", Regions: regions}}, 2, time.Now)[0]
	old := time.Now().Add(-24 * 40 * time.Hour) // its tombstone would be forgotten
	newer := time.Now().Add(-time.Hour)
	for _, held := range []struct {
		region string
		item   store.Item
	}{
		{servertest.Region, marked("same", "a", away, old)},
		{away, marked("same", "a", servertest.Region, newer)},
		{servertest.Region, marked("newer away", "home", servertest.Region, old)},
		{away, marked("newer away", "away", away, newer)},
		{servertest.Region, marked("newer at home", "home", servertest.Region, newer)},
		{away, marked("newer at home", "away", away, old)},
		{servertest.Region, marked("same mark", "home", away, newer)},
		{away, marked("same mark", "away", away, newer)},
		{servertest.Region, marked("only at home", "home", servertest.Region, old)},
		{away, marked("only away", "away", away, old)},
		{away, marked("removed at home", "away", away, old)},
		{away, store.Item{"Id": textValue("without a mark"), "text": textValue("away")}},
	} {
		if _, err := w.client(held.region).PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("Orders"), Item: held.item}); err != nil {
			t.Fatal(err)
		}
	}
	µs := newer.UnixMicro()
	home := oneway.Copy{Table: replication.DefaultSettings().Peers(w.config, &replication.Shared{Table: "Orders", Regions: regions}, time.Now).Home}
	if err := home.Remove(t.Context(), store.Item{"Id": textValue("removed at home")}, mark.New(µs, µs, 1, servertest.Region)); err != nil {
		t.Fatal(err)
	}

	want := []operate.Difference{
		{Key: `Id="newer at home"`, What: operate.Different, Repair: "repaired"},
		{Key: `Id="newer away"`, What: operate.Different, Repair: "repaired"},
		{Key: `Id="only at home"`, What: operate.Missing, Repair: "repaired"},
		{Key: `Id="only away"`, What: operate.Extra, Repair: "repaired"},
		{Key: `Id="removed at home"`, What: operate.Extra, Repair: "repaired"},
		{Key: `Id="same mark"`, What: operate.Different, Repair: "repaired"},
		{Key: `Id="without a mark"`, What: operate.Extra, Repair: "repaired"},
	}
	v := verifyAndRepair(t, p, operate.Judging{})
	if diff := cmp.Diff(want, v.Differences, ignoringKeys, cmpopts.IgnoreFields(operate.Difference{}, "Values")); diff != "" {
		t.Errorf("differences (-want +got):\n%s", diff)
	}
	v, err := operate.Compare(t.Context(), p, operate.Judging{})
	if err != nil || len(v.Differences) != 0 {
		t.Errorf("after the repair: %+v, %v; want none", v, err)
	}
	texts := map[string]string{}
	for _, id := range []string{"same", "newer away", "newer at home", "same mark", "only at home", "only away", "removed at home", "without a mark"} {
		if item := w.get("Orders", id); item != nil {
			texts[id] = item["text"].(*types.AttributeValueMemberS).Value
		}
	}
	wantTexts := map[string]string{
		"same": "a", "newer away": "away", "newer at home": "home", "same mark": "home", "only at home": "home", "only away": "away", "without a mark": "away",
	}
	if diff := cmp.Diff(wantTexts, texts); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
	kept := map[string]string{}
	for _, region := range regions {
		out, err := w.client(region).Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String(replication.DefaultConflictTable)})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range out.Items {
			kept[textOf(row[store.ConflictVersion+"Id"])] += region + " " + textOf(row[store.ConflictVersion+"text"])
		}
	}
	wantKept := map[string]string{
		`"newer away"`: servertest.Region + ` "home"`, `"newer at home"`: away + ` "away"`, `"same mark"`: away + ` "away"`, `"removed at home"`: away + ` "away"`,
	}
	if diff := cmp.Diff(wantKept, kept); diff != "" {
		t.Errorf("the conflict log (-want +got):\n%s", diff)
	}
}
