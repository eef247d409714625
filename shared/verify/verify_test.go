package verify

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/shopspring/decimal"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/change"
	"sluice/shared/consumertest"
	"sluice/shared/keeper"
	"sluice/shared/operate"
	"sluice/shared/view"
)

func TestMain(m *testing.M) { servertest.Main(m) }

const views = `
views:
  - name: revenue
    from: {table: Orders}
    into: {table: Revenue, key: {Customer: "{Customer}"}}
    sum: {Total: Price}
    count: Orders
  - name: by-size
    from: {table: Revenue}
    into: {table: Sizes, key: {Size: {number: "{bucket}"}}}
    bucket: {of: Total, digits: 1}
    count: Customers
  - name: kept
    from: {table: Orders, subtractExpired: false}
    into: {table: Kept, key: {Customer: "{Customer}"}}
    count: Orders
`

// world has orders, whose sums a keeper keeps, and a clock that moves only while a
// comparison waits.
type world struct {
	t      *testing.T
	config aws.Config
	client *dynamodb.Client
	views  []*view.View
	keeper *keeper.Keeper
	clock  time.Time
	n      int
	wait   func() // after each wait of a comparison; may be nil
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, config: servertest.DynamoDB(t), clock: consumertest.Arrival}
	w.client = dynamodb.NewFromConfig(w.config)
	servertest.CreateTable(t, w.client, "Orders", "Id")
	servertest.CreateTable(t, w.client, "Revenue", "Customer")
	servertest.CreateTable(t, w.client, "Ledger", "Group", "Entry")
	servertest.CreateTable(t, w.client, "Kept", "Customer")
	if _, err := w.client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("Sizes"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("Size"), AttributeType: types.ScalarAttributeTypeN}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("Size"), KeyType: types.KeyTypeHash}},
	}); err != nil {
		t.Fatal(err)
	}
	var err error
	if w.views, err = view.Parse("views.yaml", []byte(views), nil); err != nil {
		t.Fatal(err)
	}
	w.keeper = keeper.New(w.client, w.views, "Ledger", 384*time.Hour)
	w.keeper.Now = func() time.Time { return w.clock }
	return w
}

// write writes a new order and returns its change.
func (w *world) write(customer string, price consumertest.Value) *change.Change {
	w.t.Helper()
	w.n++
	order := consumertest.Item{"Id": consumertest.S(fmt.Sprint("order-", w.n)), "Customer": consumertest.S(customer)}
	if price != nil {
		order["Price"] = price
	}
	if _, err := w.client.PutItem(w.t.Context(), &dynamodb.PutItemInput{TableName: aws.String("Orders"), Item: order.AttributeValues()}); err != nil {
		w.t.Fatal(err)
	}
	made := consumertest.Change{Table: "Orders", Time: w.clock.Add(-time.Minute + time.Duration(w.n)*time.Millisecond), Keys: consumertest.Item{"Id": order["Id"]}, New: order}
	c, err := change.Parse(made.Record())
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// order writes an order that the keeper applies at once, and counts the customer anew.
func (w *world) order(customer, price string) {
	w.t.Helper()
	w.keeper.ApplyBatch(w.t.Context(), []*change.Change{w.write(customer, consumertest.N(price))})
}

func (w *world) set(table, key, value, attribute string, to types.AttributeValue) {
	w.t.Helper()
	var keyValue types.AttributeValue = &types.AttributeValueMemberS{Value: value}
	if key == "Size" {
		keyValue = &types.AttributeValueMemberN{Value: value}
	}
	if _, err := w.client.UpdateItem(w.t.Context(), &dynamodb.UpdateItemInput{
		TableName: &table, Key: map[string]types.AttributeValue{key: keyValue}, UpdateExpression: aws.String("SET #a = :to"),
		ExpressionAttributeNames: map[string]string{"#a": attribute}, ExpressionAttributeValues: map[string]types.AttributeValue{":to": to},
	}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) sizes(counts map[string]string) {
	w.t.Helper()
	for size, n := range counts {
		w.set("Sizes", "Size", size, "Customers", &types.AttributeValueMemberN{Value: n})
	}
}

// compare compares as the engine does, with a patience of 10 seconds.
func (w *world) compare() operate.Report {
	w.t.Helper()
	began, announced := w.clock, 0
	now := func() time.Time { return w.clock }
	o := operate.Judging{
		Patience: 10 * time.Second, Now: now, Waiting: func(int, time.Duration) { announced++ },
		Sleep: func(_ context.Context, d time.Duration) error {
			w.clock = w.clock.Add(d)
			if w.wait != nil {
				w.wait()
			}
			return nil
		},
	}
	c := New(w.client, w.views, 384*time.Hour, operate.Options{Segments: 2, Most: o.Most()})
	c.Now = now
	r, err := operate.Compare(w.t.Context(), c, o)
	if err != nil {
		w.t.Fatal(err)
	}
	if waited := w.clock.After(began); waited != (announced == 1) {
		w.t.Errorf("waited: %v, announced %d times", waited, announced)
	}
	return r
}

func texts(differences []operate.Difference) (list []string) {
	for _, d := range differences {
		at := d.Ref.(standing)
		list = append(list, fmt.Sprintf("%s %s %s %s %s", at.view, at.key, at.sum, d.Values[0].Source, d.Values[0].Destination))
	}
	return list
}

// want compares what was found; nothing may move.
func (w *world) want(r operate.Report, differences []string, arrived, unusable int) {
	w.t.Helper()
	if got := texts(r.Differences); !slices.Equal(got, differences) {
		w.t.Errorf("%q differ, want %q", got, differences)
	}
	if got := texts(r.Unjudged); len(got) > 0 {
		w.t.Errorf("%q move", got)
	}
	if r.Arrived != arrived || r.UnusableCount != unusable || len(r.Unusable) != unusable {
		w.t.Errorf("%d arrived, %d unusable %+v; want %d, %d", r.Arrived, r.UnusableCount, r.Unusable, arrived, unusable)
	}
}

// Every declared view is compared, views of views and sums that nothing in the source
// belongs to included. Fails if a view of one's own is left out, or if one that can't be
// compared isn't named.
func TestEveryViewIsCompared(t *testing.T) {
	w := newWorld(t)
	w.order("ada", "100")
	w.order("ada", "11")
	w.order("bob", "5")
	w.sizes(map[string]string{"100": "1", "5": "1"})
	r := w.compare()
	w.want(r, nil, 0, 0)
	if r.Items != 4 || len(r.NotCompared) != 1 || !strings.Contains(r.NotCompared[0], "kept") || !strings.Contains(r.NotCompared[0], "subtractExpired") {
		t.Errorf("%d items compared, want 2 of each of two views; not compared: %q", r.Items, r.NotCompared)
	}
	w.set("Revenue", "Customer", "ada", "Total", &types.AttributeValueMemberN{Value: "888"})
	w.sizes(map[string]string{"100": "0", "800": "1", "30": "2"})
	w.set("Revenue", "Customer", "nobody", "Orders", &types.AttributeValueMemberN{Value: "4"})
	w.set("Revenue", "Customer", "nobody", "Total", &types.AttributeValueMemberN{Value: "0"})
	w.sizes(map[string]string{"0": "1"})
	w.want(w.compare(), []string{"by-size Size=30 Customers 0 2", `revenue Customer="ada" Total 111 888`, `revenue Customer="nobody" Orders 0 4`}, 0, 0)
}

// One item of each bad kind is named, and all others are compared. Fails if a bad item
// ends the comparison.
func TestBadItemsAreNamed(t *testing.T) {
	w := newWorld(t)
	w.order("ada", "100")
	w.order("bob", "5")
	w.sizes(map[string]string{"100": "1", "5": "1"})
	for _, price := range []consumertest.Value{nil, consumertest.S("7"), consumertest.S("many"), consumertest.S("")} {
		w.write("bob", price)
	}
	w.set("Revenue", "Customer", "ada", "Orders", &types.AttributeValueMemberS{Value: "one"})
	w.set("Revenue", "Customer", "bob", "Orders", &types.AttributeValueMemberN{Value: "9"})
	r := w.compare()
	w.want(r, []string{`revenue Customer="bob" Orders 1 9`}, 0, 5)
	for i, want := range []string{`Orders Id="order-3": view revenue: attribute "Price"`, `"order-4"`, `"order-5"`, `"order-6"`, `Revenue Customer="ada": view revenue: attribute Orders: is no number`} {
		if got := fmt.Sprintf("%s %s: %s", r.Unusable[i].Table, r.Unusable[i].Key, r.Unusable[i].Reason); !strings.Contains(got, want) {
			t.Errorf("named %q, want %q", got, want)
		}
	}
}

// An item that two views can't use is one item, named once with both reasons. Fails if it is counted for each view.
func TestBadItemOfTwoViews(t *testing.T) {
	w := newWorld(t)
	w.set("Revenue", "Customer", "ada", "Orders", &types.AttributeValueMemberS{Value: "one"})
	w.set("Revenue", "Customer", "ada", "Total", &types.AttributeValueMemberS{Value: "much"})
	r := w.compare()
	w.want(r, nil, 0, 1)
	if reason := r.Unusable[0].Reason; !strings.Contains(reason, "view revenue: attribute Orders: is no number") || !strings.Contains(reason, "; view ") {
		t.Errorf("the reason is %q", reason)
	}
}

// Changes are applied between two looks, as on a table that is written. Fails if what is in
// flight counts as a difference, if a difference counts before the margin is over, or if
// one that stays doesn't count.
func TestInFlight(t *testing.T) {
	w := newWorld(t)
	w.order("ada", "100")
	w.sizes(map[string]string{"100": "1"})
	late := w.write("ada", consumertest.N("7"))
	w.write("eve", consumertest.N("3")) // whose change is lost
	waits := 0
	w.wait = func() {
		if waits++; waits == 2 {
			w.keeper.ApplyBatch(t.Context(), []*change.Change{late})
		}
	}
	w.want(w.compare(), []string{`revenue Customer="eve" Orders 1 0`, `revenue Customer="eve" Total 3 0`}, 2, 0)
	if after := w.clock.Sub(consumertest.Arrival); after < 10*time.Second || after > 20*time.Second {
		t.Errorf("ended after %v, want soon after the margin", after)
	}
}

// A sum has another change in flight at every look. Fails if it counts as a difference, if
// it counts as equal, or if the comparison goes on beyond its patience.
func TestSumsThatKeepChanging(t *testing.T) {
	w := newWorld(t)
	w.order("ada", "100")
	w.sizes(map[string]string{"100": "1"})
	next := w.write("ada", consumertest.N("1"))
	price := 1
	w.wait = func() {
		w.keeper.ApplyBatch(t.Context(), []*change.Change{next})
		price++
		next = w.write("ada", consumertest.N(strconv.Itoa(price)))
	}
	r := w.compare()
	if len(r.Differences) > 0 || len(r.Unjudged) != 2 || r.Arrived != 0 {
		t.Errorf("%+v, want no difference and two sums that keep changing", r)
	}
	if after := w.clock.Sub(consumertest.Arrival); after != 30*time.Second {
		t.Errorf("ended after %v, want the patience", after)
	}
}

// Somebody goes on writing and nothing is applied any more. Fails if that passes for sums
// that keep changing.
func TestNothingIsApplied(t *testing.T) {
	w := newWorld(t)
	w.order("ada", "100")
	w.sizes(map[string]string{"100": "1"})
	w.write("ada", consumertest.N("1"))
	w.wait = func() { w.write("ada", consumertest.N("1")) }
	if r := w.compare(); len(r.Differences) != 2 || len(r.Unjudged) > 0 {
		t.Errorf("%+v, want two differences", r)
	}
}

// A sum that DynamoDB can't hold is never answered with the advice to rebuild: no rebuild stores it.
func TestSumsBeyondDynamoDB(t *testing.T) {
	for text, beyond := range map[string]bool{
		"7": false, "1E40": false, "9.9E125": false, "0.001": false,
		"10000000000000000000000000000000000000000.001": true, "1E126": true, "1E-131": true, strings.Repeat("1", 39): true,
	} {
		sum := cell{"leaderboard", `UserId="ada"`, "Total"}
		d := (&look{source: map[cell]decimal.Decimal{sum: decimal.RequireFromString(text)}}).difference(sum)
		if refused := strings.Contains(d.Refused, "no rebuild helps"); refused != beyond || (d.Command == "sluice rebuild leaderboard") == beyond {
			t.Errorf("%s: refused %q, command %q", text, d.Refused, d.Command)
		}
	}
}
