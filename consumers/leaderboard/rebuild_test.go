package leaderboard

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/shared/aggregate"
	"sluice/shared/change"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/gametest"
	"sluice/shared/consumertest/proof"
	"sluice/shared/consumertest/wire"
	"sluice/shared/rebuild"
)

// broken is a world whose players have scores in the source, but of whose totals
// one is wrong, one is missing and one is too many.
func broken(t *testing.T) *world {
	w := newWorld(t)
	var records [][]byte
	for turn, user := range []string{"reed", "reed", "maggy", "alyssa", "alyssa"} {
		_, image := event(user, turn, fmt.Sprint(turn+1))
		w.put(gametest.ScoreTable, image.AttributeValues())
		records = append(records, insert(user, turn, fmt.Sprint(turn+1)))
	}
	w.deliver(w.function(nil), 10, records...)
	user := func(name string) map[string]types.AttributeValue {
		return map[string]types.AttributeValue{gametest.AttrUser: &types.AttributeValueMemberS{Value: name}}
	}
	wrong := user("nobody")
	wrong[gametest.AttrScore] = &types.AttributeValueMemberN{Value: "77"}
	w.put(gametest.BoardTable, wrong)
	if _, err := w.direct.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String(gametest.BoardTable), Key: user("maggy")}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.direct.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: aws.String(gametest.BoardTable), Key: user("reed"), UpdateExpression: aws.String("SET Score = :n"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":n": &types.AttributeValueMemberN{Value: "-5"}},
	}); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) put(table string, item map[string]types.AttributeValue) {
	w.t.Helper()
	if _, err := w.direct.PutItem(w.t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: item}); err != nil {
		w.t.Fatal(err)
	}
}

// tool is a rebuild of a view whose clock moves only while it waits.
func (w *world) tool(name string, decide func(wire.Call) wire.Fault) *rebuild.Tool {
	w.t.Helper()
	settings := DefaultSettings()
	settings.LedgerTable = w.ledger
	v, err := View(gametest.Declarations(), name)
	if err != nil {
		w.t.Fatal(err)
	}
	clock := consumertest.Arrival
	return &rebuild.Tool{
		Client: dynamodb.NewFromConfig(w.config, func(o *dynamodb.Options) {
			o.HTTPClient = &http.Client{Transport: &wire.Transport{Decide: decide}}
			o.Retryer = aws.NopRetryer{}
		}),
		View: v, Ledger: w.ledger, Horizon: DefaultHorizon, Segments: 2, Limit: rebuild.DefaultLimit,
		Clocks: rebuild.DefaultClocks, Announcing: rebuild.DefaultAnnouncing,
		Now: func() time.Time { return clock },
		Sleep: func(_ context.Context, d time.Duration) error {
			clock = clock.Add(d)
			return nil
		},
	}
}

// The tool dies before or after any of its calls, and runs again. Then all that was
// delivered before comes again. Fails if a page that is read twice counts twice.
func TestRebuildCrashAtEveryCall(t *testing.T) {
	for _, fault := range []wire.Fault{wire.Crash, wire.CrashAfter} {
		crashed := true
		for k := 1; crashed; k += proof.Size(1, 5) {
			w := broken(t)
			crashed = false
			_, err := w.tool("leaderboard", func(c wire.Call) wire.Fault {
				if c.N == k {
					crashed = true
					return fault
				}
				return wire.None
			}).Run(t.Context())
			if crashed != (err != nil) {
				t.Fatalf("%v %d: error %v", fault, k, err)
			}
			if crashed {
				if _, err := w.tool("leaderboard", nil).Run(t.Context()); err != nil {
					t.Fatalf("after %v %d: %v", fault, k, err)
				}
			} else if k < 15 {
				t.Fatalf("only %d calls", k-1)
			}
			for range 2 {
				totals := w.totals()
				if totals["reed"].String() != "3" || totals["maggy"].String() != "3" || totals["alyssa"].String() != "9" || !totals["nobody"].IsZero() {
					t.Fatalf("after %v %d: totals %v", fault, k, totals)
				}
				w.deliver(w.function(nil), 10, insert("reed", 0, "1"), insert("maggy", 2, "3"), insert("alyssa", 4, "5"))
			}
		}
	}
}

// As long as nothing is rebuilt, an instance asks once in five seconds, whatever it
// delivers, and an item of a view takes one update.
func TestRebuildsAreReadSeldom(t *testing.T) {
	w := newWorld(t)
	calls := map[string]int{}
	board := w.consumer(func(c wire.Call) wire.Fault {
		calls[c.Operation]++
		return wire.None
	})
	function := w.handler(board)
	key := consumertest.Item{"Id": consumertest.S("x")}
	w.deliver(function, 1, consumertest.Change{Table: "Players", Time: at(0), Keys: key, New: key}.Record())
	if len(calls) > 0 {
		t.Errorf("after a change of another table: calls %v, want none", calls)
	}
	for i, test := range []struct {
		after   time.Duration
		queries int
	}{{0, 1}, {aggregate.Freshness, 1}, {aggregate.Freshness + 1, 2}, {aggregate.Freshness, 3}} { // the last one by a clock that was set back
		board.Now = func() time.Time { return consumertest.Arrival.Add(test.after) }
		w.deliver(function, 10, insert("reed", i, "1"))
		if calls["Query"] != test.queries || calls["UpdateItem"] != 3*(i+1) || len(calls) != 2 {
			t.Errorf("after %d batches: calls %v, want %d queries and an update of each of 3 boards a batch", i+1, calls, test.queries)
		}
	}
}

// An instance that hasn't heard of a rebuild hears of it from an item, and tries again at once.
func TestRebuiltMeanwhile(t *testing.T) {
	w := broken(t)
	function := w.function(nil)
	w.deliver(function, 10, insert("tommy", 7, "1")) // by now it knows that there is no rebuild
	if _, err := w.tool("leaderboard", nil).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if done := w.invoke(function, [][]byte{insert("reed", 0, "1")}); done != 1 {
		t.Errorf("%d changes done, want 1", done)
	}
	if total := w.totals()["reed"]; total.String() != "3" {
		t.Errorf("the total is %v; want 3", total)
	}
}

// Items that the tool made have no time at which their totals were reached until a
// change of theirs comes: they are on the board all the same, and have a rank.
func TestRebuiltTotalsHaveRanks(t *testing.T) {
	w := broken(t)
	for _, name := range []string{"leaderboard", "rank-1", "rank-2", "rank-3"} {
		if _, err := w.tool(name, nil).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	top, err := w.board().Top(t.Context(), "", 3)
	if err != nil || len(top) != 3 || top[0].Name != "alyssa" || top[1].Name != "maggy" || !top[1].Since.IsZero() || top[2].Name != "reed" {
		t.Errorf("the top is %v, %v; want alyssa, maggy without a time, reed", top, err)
	}
	for rank, user := range []string{"alyssa", "maggy", "reed", "nobody"} {
		got, err := w.board().Rank(t.Context(), user, 5)
		if err != nil || !got.Exact() || int(got.From) != rank+1 {
			t.Errorf("%s is %+v, %v; want rank %d", user, got, err, rank+1)
		}
	}
	w.deliver(w.function(nil), 10, insert("maggy", 2, "3")) // which the rebuild has taken
	if got, err := w.board().Rank(t.Context(), "maggy", 0); err != nil || got.Entry.Since.IsZero() || got.Entry.Number.String() != "3" {
		t.Errorf("maggy's total is %+v, %v; want 3, and since when", got.Entry, err)
	}
}

// Views that keep counting what expired can't be made anew.
func TestRebuildRefused(t *testing.T) {
	w := newWorld(t)
	tool := w.tool("leaderboard", nil)
	var err error
	if tool.View, err = View(gametest.Declarations("SUBTRACT_EXPIRED", "false"), "leaderboard"); err != nil {
		t.Fatal(err)
	}
	if _, err = tool.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "subtractExpired: false") {
		t.Errorf("error %v, want one that names subtractExpired", err)
	}
}

// A view in the source's own table, by days: only its own items are touched.
func TestRebuildPets(t *testing.T) {
	w := newWorld(t)
	walk := activity(1, "rex", "2024-01-15T10:00:00Z", "walk")
	w.put(gametest.PetTable, walk.AttributeValues())
	w.deliver(w.function(nil), 10, tracked(1, nil, walk))
	if _, err := w.direct.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName:                 aws.String(gametest.PetTable),
		Key:                       consumertest.Item{"PK": consumertest.S("PET#rex"), "SK": consumertest.S("SUMMARY#2024-01-15")}.AttributeValues(),
		UpdateExpression:          aws.String("ADD activityCount :n"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":n": &types.AttributeValueMemberN{Value: "7"}},
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.tool("pet-day", nil).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	out, err := w.direct.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String(gametest.PetTable)})
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range out.Items {
		_, switched := item["Generation"]
		summary := strings.HasPrefix(change.TextOf(item["SK"]), "SUMMARY#")
		if switched != summary {
			t.Errorf("item %v: rebuilt %v", item, switched)
		}
		if count, ok := item["activityCount"].(*types.AttributeValueMemberN); summary && (!ok || count.Value != "1" || change.TextOf(item["lastActivity"]) != "walk") {
			t.Errorf("the summary is %v, want 1 activity, a walk", item)
		}
	}
}
