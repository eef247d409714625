package ops

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

	"sluice/consumers/replication"
	"sluice/consumers/replication/internal/store"
	"sluice/consumers/replication/mark"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumertest/gametest"
	"sluice/shared/consumertest/wire"
	"sluice/shared/operate"
)

// newTestPair makes a source at home, Orders, and a pair of it and its copy.
func newTestPair(w *world, routes string) *pair {
	w.t.Helper()
	w.create(servertest.Region, tableOf("Orders", "Id", "S"))
	w.create(away, tableOf("Copy", "Id", "S"))
	settings := replication.DefaultSettings()
	read, err := replication.Routes(gametest.With(replication.ReplicasFile, "test.yaml", routes), servertest.Region)
	if err != nil {
		w.t.Fatal(err)
	}
	return newPair(w.config, settings, read[0], 2, time.Now)
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

func idOf(id string) store.Item { return store.Item{"Id": textValue(id)} }

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
	if err := p.copy.Put(t.Context(), idOf("0"), newer, later, false); err != nil {
		t.Fatal(err)
	}
	if err := p.copy.Remove(t.Context(), idOf("1"), later); err != nil {
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
	settings := replication.DefaultSettings()
	half := &backfill{pair: newPair(broken, settings, p.route, 2, time.Now)}
	if first, err := half.Run(t.Context(), func(int) {}); err == nil {
		t.Fatalf("it was broken off, but says %+v", first)
	}
	var seen atomic.Int64
	result, err := (&backfill{pair: p}).Run(t.Context(), func(items int) { seen.Add(int64(items)) })
	if err != nil {
		t.Fatal(err)
	}
	if result.Written+result.Newer >= n {
		t.Errorf("the second backfill began anew: %+v of %d", result, n)
	}
	if all := int64(result.Written + result.Newer + result.LeftOut + result.Rejected); seen.Load() != all {
		t.Errorf("progress of %d items was told, want %d", seen.Load(), all)
	}
	if got := w.get("Copy", "0"); textOf(got["text"]) != `"new"` {
		t.Errorf("a newer item is overwritten by %.40s", textOf(got["text"]))
	}
	if got := w.get("Copy", "1"); got != nil {
		t.Errorf("a removed item is back")
	}
	if got := w.get("Copy", "done"); got != nil {
		t.Errorf("what the route doesn't take is copied")
	}
	v, err := operate.Compare(t.Context(), p, operate.Judging{})
	if err != nil {
		t.Fatal(err)
	}
	want := []operate.Difference{{Key: `Id="0"`, What: operate.Different}, {Key: `Id="1"`, What: operate.Missing}} // as this test left the source
	if diff := cmp.Diff(want, v.Differences, ignoringKeys, cmpopts.IgnoreFields(operate.Difference{}, "Values")); diff != "" || v.Items != n {
		t.Errorf("%d items compared, want %d; differences (-want +got):\n%s", v.Items, n, diff)
	}
}

// ignoringKeys leaves out what only a repair needs.
var ignoringKeys = cmpopts.IgnoreFields(operate.Difference{}, "Ref", "Moving", "Written")

// verifyAndRepair compares and repairs, extra items too.
func verifyAndRepair(t *testing.T, p *pair, o operate.Judging) operate.Report {
	t.Helper()
	r, err := operate.Compare(t.Context(), p, o)
	if err == nil {
		err = p.Repair(t.Context(), r.Differences, true)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
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
		if err := p.copy.Put(t.Context(), idOf(id), item, mark.New(µs, µs, 1, servertest.Region), false); err != nil {
			t.Fatal(err)
		}
	}
	text := func(source, copied string) []operate.Value {
		return []operate.Value{{Path: "text", Source: `"` + source + `"`, Destination: `"` + copied + `"`}}
	}
	want := []operate.Difference{
		{Key: `Id="changed"`, What: operate.Different, Values: text("changed", "another"), Repair: "repaired"},
		{Key: `Id="closed"`, What: operate.Extra, Repair: "repaired"},
		{Key: `Id="extra"`, What: operate.Extra, Repair: "repaired"},
		{Key: `Id="fresh"`, What: operate.Different, Values: text("fresh", "another"), Repair: "left alone: the copy is newer"},
		{Key: `Id="missing"`, What: operate.Missing, Repair: "repaired"},
	}
	v := verifyAndRepair(t, p, operate.Judging{})
	if diff := cmp.Diff(want, v.Differences, ignoringKeys); diff != "" || v.Items != 4 {
		t.Errorf("%d items, want 4; differences (-want +got):\n%s", v.Items, diff)
	}
	v, err := operate.Compare(t.Context(), p, operate.Judging{})
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
		if err := p.copy.Put(t.Context(), idOf(id), item, mark.New(µs, µs, 1, servertest.Region), false); err != nil {
			t.Fatal(err)
		}
	}
	old := time.Now().Add(-time.Hour)
	for _, id := range []string{"follows", "behind", "still"} {
		w.write(order(id, "open", "2"))
		copyOf(id, "1", old)
	}
	looks := 0
	v := verifyAndRepair(t, p, operate.Judging{Sleep: func(context.Context, time.Duration) error {
		looks++
		copyOf("follows", fmt.Sprint(looks+1), old.Add(time.Duration(looks)*time.Minute))
		w.write(order("follows", "open", fmt.Sprint(looks+2)))
		if looks == 1 {
			w.write(order("behind", "open", "3"))
		}
		return nil
	}})
	var got []string
	for _, d := range v.Differences {
		got = append(got, fmt.Sprint(d.Key, ": ", d.What, ", ", d.Repair))
	}
	want := []string{`Id="behind": different, left alone: it was written while it was compared`, `Id="still": different, repaired`}
	if diff := cmp.Diff(want, got); diff != "" || len(v.Unjudged) != 1 {
		t.Errorf("%d not judged, want 1; differences (-want +got):\n%s", len(v.Unjudged), diff)
	}
	if text := textOf(w.get("Copy", "follows")["text"]); text != `"3"` {
		t.Errorf("what was in flight is %s now, want it as it was", text)
	}
}
