package leaderboard

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/consumers/leaderboard/boards"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/gametest"
	"sluice/shared/consumertest/operatetest"
	"sluice/shared/operate"
	"sluice/shared/verify"
	"sluice/shared/view"
)

// each visits every item of a table.
func (w *world) each(table string, visit func(item operate.Item)) {
	w.t.Helper()
	s := &operate.Source{Client: w.direct, Table: table}
	if err := s.Scan(w.t.Context(), 1, func(_ context.Context, page operate.Page) error {
		for _, item := range page.Items {
			visit(item)
		}
		return nil
	}); err != nil {
		w.t.Fatal(err)
	}
}

// scoreWorld is a table of scores, one of each player, and the boards that are views of it. The views of boards are left out: their
// changes are those of the boards' table, which nobody delivers here.
func scoreWorld(t *testing.T) *operatetest.World {
	w := newWorld(t)
	settings := DefaultSettings()
	settings.LedgerTable = w.ledger
	board, err := New(w.direct, gametest.Declarations(), settings)
	if err != nil {
		t.Fatal(err)
	}
	views := slices.DeleteFunc(w.views(), func(v *view.View) bool { return v.Source != gametest.ScoreTable })
	today := time.Now().UTC().Format("2006-01-02 15:04:05")
	player := func(n int) string { return fmt.Sprint("player ", n) }
	key := func(n int) consumertest.Item {
		return consumertest.Item{gametest.AttrUser: consumertest.S(player(n)), gametest.AttrTimestamp: consumertest.S(today)}
	}
	stored, delivered := map[int]consumertest.Item{}, map[int]consumertest.Item{}
	remove := func(table string, item operate.Item) {
		if _, err := w.direct.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &table, Key: item}); err != nil {
			t.Fatal(err)
		}
	}
	total := func(n int) operate.Item { return operate.Item{gametest.AttrUser: textValue(player(n))} }
	spoil := func(n int) {
		if _, err := w.direct.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
			TableName: aws.String(gametest.BoardTable), Key: total(n), UpdateExpression: aws.String("ADD Score :n"),
			ExpressionAttributeValues: operate.Item{":n": numeral(1000)},
		}); err != nil {
			t.Fatal(err)
		}
	}
	bad := map[string]func(){}
	for kind, value := range badValues {
		bad[kind] = func() {
			w.putItem(gametest.ScoreTable, operate.Item{gametest.AttrUser: textValue("bad " + kind), gametest.AttrTimestamp: textValue(today), gametest.AttrScore: value})
		}
	}
	bad["beyond DynamoDB"] = func() {
		for n, score := range []string{"1E125", "9", "1E-120"} {
			w.putItem(gametest.ScoreTable, operate.Item{gametest.AttrUser: textValue("bad sum"), gametest.AttrTimestamp: textValue(fmt.Sprintf("2026-01-02 00:00:0%d", n)), gametest.AttrScore: numeral(score)})
		}
	}
	return &operatetest.World{
		Write: func(n, version int) {
			stored[n] = key(n)
			stored[n][gametest.AttrScore] = consumertest.N(fmt.Sprint(10*n + version))
			w.putItem(gametest.ScoreTable, stored[n].AttributeValues())
		},
		Remove: func(n int) {
			delete(stored, n)
			remove(gametest.ScoreTable, key(n).AttributeValues())
		},
		Deliver: func(n int, made time.Time) {
			record := consumertest.Change{Table: gametest.ScoreTable, Time: made, Keys: key(n), Old: delivered[n], New: stored[n]}.Record()
			if delivered[n] == nil && stored[n] == nil {
				return
			}
			c, err := change.Parse(record)
			if err != nil {
				t.Fatal(err)
			}
			for _, err := range board.ApplyBatch(t.Context(), []*change.Change{c}) {
				if o := consumer.OutcomeOf(err); o == consumer.Retry || o == consumer.Rejected {
					t.Fatal(err)
				}
			}
			delivered[n] = stored[n]
		},
		Damages: []operatetest.Damage{
			{What: operate.Different, Do: spoil, Unrepaired: true},
			{What: operate.Different, Do: func(n int) { remove(gametest.BoardTable, total(n)) }, Unrepaired: true},
			{What: operate.Different, Do: spoil, Undelivered: true, Unrepaired: true},
		},
		Bad: bad,
		Held: func() map[string]string {
			held := map[string]string{}
			w.each(gametest.BoardTable, func(item operate.Item) {
				score, _ := boards.Number(item, gametest.AttrScore)
				held[change.TextOf(item[gametest.AttrUser])] = score.String()
			})
			return held
		},
		Compare: func(client *http.Client) operate.Comparison {
			calls := dynamodb.NewFromConfig(w.config, func(o *dynamodb.Options) { o.HTTPClient, o.Retryer = client, aws.NopRetryer{} })
			return verify.New(calls, views, DefaultHorizon, operate.Options{Segments: 2, Most: time.Minute})
		},
	}
}

// The comparison of views, whatever happens to it.
func TestOperateViews(t *testing.T) { operatetest.Run(t, operatetest.Suite{New: scoreWorld}) }

// A wrong sum of any declared view is found, and its view and item are named: of boards, ranks and pets. Fails if a view is left out.
func TestWrongSumOfEveryViewIsFound(t *testing.T) {
	w := newWorld(t)
	w.putItem(gametest.ScoreTable, operate.Item{gametest.AttrUser: textValue("reed"), gametest.AttrTimestamp: textValue("2026-01-02 02:00:00"), gametest.AttrScore: numeral(5)})
	w.putItem(gametest.PetTable, operate.Item{
		"PK": textValue("ACTIVITY#1"), "SK": textValue("ACTIVITY"), "entityType": textValue("ACTIVITY"), "petId": textValue("rex"), "timestamp": textValue("2026-01-02T02:00:00Z"), "type": textValue("walk"),
	})
	compare := func() []operate.Difference {
		t.Helper()
		c := verify.New(w.direct, w.views(), DefaultHorizon, operate.Options{Segments: 1})
		c.Now = func() time.Time { return consumertest.Arrival }
		r, err := operate.Compare(t.Context(), c, operate.Judging{})
		if err != nil || len(r.Unjudged) > 0 || r.UnusableCount > 0 {
			t.Fatalf("%+v, %v", r, err)
		}
		return r.Differences
	}
	// What the report names is stored, until nothing differs: the boards first, then their ranks.
	for range 2 {
		for _, d := range compare() {
			w.store(d, d.Values[0].Source)
		}
	}
	if differences := compare(); len(differences) > 0 {
		t.Fatalf("these differ still: %+v", differences)
	}
	for _, v := range w.views() {
		wrong := 0
		var items []operate.Item
		w.each(v.Table, func(item operate.Item) { items = append(items, item) })
		for _, item := range items {
			target, own, err := v.Own(item)
			if err != nil || !own || len(target.Sums) == 0 {
				continue
			}
			before := item[target.Sums[0]]
			item[target.Sums[0]] = numeral(3)
			w.putItem(v.Table, item)
			wrong++
			keys := make([]string, 0, len(target.Key))
			for name := range target.Key {
				keys = append(keys, name)
			}
			slices.Sort(keys)
			want := fmt.Sprintf("view %s, %s, %s", v.Name, operate.KeyText(keys, target.Key), target.Sums[0])
			if differences := compare(); !slices.ContainsFunc(differences, func(d operate.Difference) bool { return d.Key == want && d.Command == "sluice rebuild "+v.Name }) {
				t.Errorf("a wrong sum isn't found: want %s, got %+v", want, differences)
			}
			item[target.Sums[0]] = before
			w.putItem(v.Table, item)
		}
		if wrong == 0 {
			t.Errorf("view %s has no item", v.Name)
		}
	}
}

// store writes a sum into the item of a view that a report names.
func (w *world) store(d operate.Difference, sum string) {
	w.t.Helper()
	parts := strings.SplitN(d.Key, ", ", 3) // view NAME, KEY, SUM
	name := strings.TrimPrefix(parts[0], "view ")
	i := slices.IndexFunc(w.views(), func(v *view.View) bool { return v.Name == name })
	key := operate.Item{}
	for _, one := range strings.Fields(parts[1]) {
		attribute, value, _ := strings.Cut(one, "=")
		key[attribute] = numeral(value)
		if text, err := strconv.Unquote(value); err == nil {
			key[attribute] = textValue(text)
		}
	}
	if _, err := w.direct.UpdateItem(w.t.Context(), &dynamodb.UpdateItemInput{
		TableName: aws.String(w.views()[i].Table), Key: key, UpdateExpression: aws.String("SET #sum = :sum"),
		ExpressionAttributeNames: map[string]string{"#sum": parts[2]}, ExpressionAttributeValues: map[string]types.AttributeValue{":sum": numeral(sum)},
	}); err != nil {
		w.t.Fatal(err)
	}
}
