package replication

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"sluice/consumers/replication/internal/store"
	"sluice/consumers/replication/mark"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest/wire"
)

// newTestPair makes a source at home, Orders, and a pair of it and its copy.
func newTestPair(w *world, routes string) *Pair {
	w.t.Helper()
	w.create(servertest.Region, tableOf("Orders", "Id", "S"))
	w.create(away, tableOf("Copy", "Id", "S"))
	settings := DefaultSettings()
	read, err := settings.ReadRoutes(servertest.Region, "test.yaml", []byte(routes))
	if err != nil {
		w.t.Fatal(err)
	}
	return newPair(w.config, settings, read[0], time.Now)
}

const ordersRoute = `replicas:
  - name: replica
    from: {table: Orders, where: {state: open}}
    into: {table: Copy, region: eu-west-1}
    leaveOut: [card]
`

// order is an item with a text.
func order(id, state, text string) store.Item {
	return store.Item{
		"Id":    &types.AttributeValueMemberS{Value: id},
		"state": &types.AttributeValueMemberS{Value: state},
		"text":  &types.AttributeValueMemberS{Value: text},
		"tags":  &types.AttributeValueMemberSS{Value: []string{"b", "a"}},
		"card":  &types.AttributeValueMemberN{Value: "4111"},
	}
}

// write puts an item into the source.
func (w *world) write(item store.Item) {
	w.t.Helper()
	if _, err := w.client(servertest.Region).PutItem(w.t.Context(), &dynamodb.PutItemInput{TableName: aws.String("Orders"), Item: item}); err != nil {
		w.t.Fatal(err)
	}
}

// A backfill that is broken off and run again copies all of what the route takes;
// what is newer in the copy, or was removed meanwhile, stays.
func TestBackfill(t *testing.T) {
	w := newWorld(t)
	p := newTestPair(w, ordersRoute)
	const n = 80
	for i := range n {
		w.write(order(fmt.Sprint(i), "open", "old "+strings.Repeat("x", 80<<10)))
	}
	w.write(order("done", "done", ""))
	// A change made after the scan, which the stream has brought already.
	µs := time.Now().Add(time.Hour).UnixMicro()
	later := mark.New(µs, µs, 1, servertest.Region)
	newer := order("0", "open", "new")
	if err := p.copy.Put(t.Context(), keyOf(newer, []string{"Id"}), newer, later, false); err != nil {
		t.Fatal(err)
	}
	if err := p.copy.Remove(t.Context(), keyOf(order("1", "", ""), []string{"Id"}), later); err != nil {
		t.Fatal(err)
	}

	puts := 0
	broken := w.config.Copy()
	broken.HTTPClient = w.breaking(func(c wire.Call) bool {
		if c.Operation == "PutItem" {
			puts++
		}
		return puts > 50
	})
	settings := DefaultSettings()
	half := newPair(broken, settings, p.Route, time.Now)
	if first, err := half.Backfill(t.Context(), BackfillOptions{Segments: 2}); err == nil {
		t.Fatalf("it was broken off, but says %+v", first)
	}
	var seen atomic.Int64
	result, err := p.Backfill(t.Context(), BackfillOptions{Segments: 2, Progress: func(items int) { seen.Add(int64(items)) }})
	if err != nil {
		t.Fatal(err)
	}
	if result.Copied+result.Newer >= n {
		t.Errorf("the second backfill began anew: %+v of %d", result, n)
	}
	if all := int64(result.Copied + result.Newer + result.LeftOut + result.Rejected); seen.Load() != all {
		t.Errorf("progress of %d items was told, want %d", seen.Load(), all)
	}
	if got := w.get(away, "Copy", "0"); textOf(got["text"]) != `"new"` {
		t.Errorf("a newer item is overwritten by %.40s", textOf(got["text"]))
	}
	if got := w.get(away, "Copy", "1"); got != nil {
		t.Errorf("a removed item is back")
	}
	if got := w.get(away, "Copy", "done"); got != nil {
		t.Errorf("what the route doesn't take is copied")
	}
	v, err := p.Verify(t.Context(), VerifyOptions{Segments: 3})
	if err != nil {
		t.Fatal(err)
	}
	want := []Difference{{Key: "Id 0", What: Different}, {Key: "Id 1", What: Missing}} // as this test left the source
	if diff := cmp.Diff(want, v.Differences, ignoringKeys, cmpopts.IgnoreFields(Difference{}, "Attributes")); diff != "" || v.Items != n {
		t.Errorf("%d items compared, want %d; differences (-want +got):\n%s", v.Items, n, diff)
	}
}

// ignoringKeys leaves out what only a repair needs.
var ignoringKeys = cmpopts.IgnoreUnexported(Difference{})

// verifyAndRepair compares and repairs, extra items too.
func verifyAndRepair(t *testing.T, p *Pair) Verification {
	t.Helper()
	waits := 0
	v, err := p.Verify(t.Context(), VerifyOptions{Segments: 2, Waiting: func(int, time.Duration) { waits++ }})
	if len(v.Differences) > 0 && waits == 0 {
		t.Error("it waits without an announcement")
	}
	if err == nil {
		err = p.Repair(t.Context(), v.Differences, true)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Each kind of difference, found and repaired. Fails if a repair overwrites what is
// newer than what it read.
func TestVerifyAndRepair(t *testing.T) {
	w := newWorld(t)
	p := newTestPair(w, ordersRoute)
	for _, id := range []string{"same", "changed", "missing", "fresh"} {
		w.write(order(id, "open", id))
	}
	w.write(order("closed", "done", ""))
	old := time.Now().Add(-time.Hour).UnixMicro()
	fresh := time.Now().Add(time.Hour).UnixMicro()
	for id, µs := range map[string]int64{"same": old, "changed": old, "closed": old, "extra": old, "fresh": fresh} {
		item := order(id, "open", id)
		delete(item, "card")
		if id == "changed" || id == "fresh" {
			item["text"] = &types.AttributeValueMemberS{Value: "another"}
		}
		if err := p.copy.Put(t.Context(), keyOf(item, []string{"Id"}), item, mark.New(µs, µs, 1, servertest.Region), false); err != nil {
			t.Fatal(err)
		}
	}
	text := func(source, copied string) []AttributeDifference {
		return []AttributeDifference{{Path: "text", Source: `"` + source + `"`, Copy: `"` + copied + `"`}}
	}
	want := []Difference{
		{Key: "Id changed", What: Different, Attributes: text("changed", "another"), Repair: "repaired"},
		{Key: "Id closed", What: Extra, Repair: "repaired"},
		{Key: "Id extra", What: Extra, Repair: "repaired"},
		{Key: "Id fresh", What: Different, Attributes: text("fresh", "another"), Repair: "left alone: the copy is newer"},
		{Key: "Id missing", What: Missing, Repair: "repaired"},
	}
	v := verifyAndRepair(t, p)
	if diff := cmp.Diff(want, v.Differences, ignoringKeys); diff != "" || v.Items != 4 {
		t.Errorf("%d items, want 4; differences (-want +got):\n%s", v.Items, diff)
	}
	v, err := p.Verify(t.Context(), VerifyOptions{Segments: 2})
	if err != nil || len(v.Differences) != 1 {
		t.Errorf("after the repair: %+v, %v; want only the fresh one", v, err)
	}
}

// Between the looks the copy of one item follows its source, which is written again; the source of another is written, and its
// copy stands still; a third is left as it is. Only the third is repaired. Fails if a repair touches what is in flight, or if
// what follows is called different.
func TestVerifyLeavesAloneWhatMoves(t *testing.T) {
	w := newWorld(t)
	p := newTestPair(w, ordersRoute)
	copyOf := func(id, text string, at time.Time) {
		item := order(id, "open", text)
		delete(item, "card")
		µs := at.UnixMicro()
		if err := p.copy.Put(t.Context(), keyOf(item, []string{"Id"}), item, mark.New(µs, µs, 1, servertest.Region), false); err != nil {
			t.Fatal(err)
		}
	}
	old := time.Now().Add(-time.Hour)
	for _, id := range []string{"follows", "behind", "still"} {
		w.write(order(id, "open", "2"))
		copyOf(id, "1", old)
	}
	looks := 0
	p.sleep = func(context.Context, time.Duration) error {
		if looks++; looks == 1 {
			copyOf("follows", "2", old.Add(time.Minute))
			w.write(order("follows", "open", "3"))
			w.write(order("behind", "open", "3"))
		}
		return nil
	}
	v := verifyAndRepair(t, p)
	var got []string
	for _, d := range v.Differences {
		got = append(got, fmt.Sprint(d.Key, ": ", d.What, ", ", d.Repair))
	}
	want := []string{"Id behind: different, left alone: it was written while it was compared", "Id still: different, repaired"}
	if diff := cmp.Diff(want, got); diff != "" || v.InFlight != 1 {
		t.Errorf("%d in flight, want 1; differences (-want +got):\n%s", v.InFlight, diff)
	}
	if text := textOf(w.get(away, "Copy", "follows")["text"]); text != `"2"` {
		t.Errorf("what was in flight is %s now, want it as it was", text)
	}
}

// The seed's case: the log's table and its replica in the same region, with the
// index on the host.
func TestLogfile(t *testing.T) {
	w := newWorld(t)
	table := tableOf("logfile_replica", "PK", "S")
	table.AttributeDefinitions = append(table.AttributeDefinitions, types.AttributeDefinition{AttributeName: aws.String("GSI_1_PK"), AttributeType: "S"})
	table.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{{
		IndexName: aws.String("GSI_1"), KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("GSI_1_PK"), KeyType: "HASH"}},
		Projection: &types.Projection{ProjectionType: "INCLUDE", NonKeyAttributes: []string{"bytessent", "requestid", "host"}},
	}}
	w.create(servertest.Region, table)
	settings := DefaultSettings()
	settings.SourceTable, settings.ReplicaTable, settings.ReplicaRegion = "logfile", "logfile_replica", servertest.Region
	r, err := New(w.config, settings)
	if err != nil {
		t.Fatal(err)
	}
	errs := r.ApplyBatch(t.Context(), []*change.Change{logChange(t, "104009", "66.249.67.3"), logChange(t, "104010", "66.249.67.3")})
	wantOutcomes(t, errs, consumer.Applied, consumer.Applied)
	out, err := w.client(servertest.Region).Query(t.Context(), &dynamodb.QueryInput{
		TableName: aws.String("logfile_replica"), IndexName: aws.String("GSI_1"), KeyConditionExpression: aws.String("GSI_1_PK = :h"),
		ExpressionAttributeValues: store.Item{":h": &types.AttributeValueMemberS{Value: "host#66.249.67.3"}},
	})
	if err != nil || len(out.Items) != 2 {
		t.Errorf("the index has %v, %v", out, err)
	}
}
