package verify

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

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/change"
	"sluice/shared/consumertest"
	"sluice/shared/keeper"
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

func (w *world) comparison() *Comparison {
	return &Comparison{
		Client: w.client, Views: w.views, Horizon: 384 * time.Hour, Segments: 2, Margin: 10 * time.Second, Patience: 30 * time.Second, Answer: time.Minute,
		Now: func() time.Time { return w.clock },
		Sleep: func(_ context.Context, d time.Duration) error {
			w.clock = w.clock.Add(d)
			if w.wait != nil {
				w.wait()
			}
			return nil
		},
	}
}

func (w *world) compare() Result {
	w.t.Helper()
	began, announced := w.clock, 0
	c := w.comparison()
	c.Waiting = func(int, time.Duration) { announced++ }
	r, err := c.Run(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	if waited := w.clock.After(began); waited != (announced == 1) {
		w.t.Errorf("waited: %v, announced %d times", waited, announced)
	}
	return r
}

func texts(differences []Difference) (list []string) {
	for _, d := range differences {
		list = append(list, fmt.Sprintf("%s %s %s %s %s", d.View, d.Key, d.Sum, d.Source, d.Stored))
	}
	return list
}

// want compares what was found; nothing may move.
func (w *world) want(r Result, differences []string, inFlight, unusable int) {
	w.t.Helper()
	if got := texts(r.Differences); !slices.Equal(got, differences) {
		w.t.Errorf("%q differ, want %q", got, differences)
	}
	if got := texts(r.Moving); len(got) > 0 {
		w.t.Errorf("%q move", got)
	}
	if r.InFlight != inFlight || r.Unusable != unusable || len(r.Named) != unusable {
		w.t.Errorf("%d in flight, %d unusable %+v; want %d, %d", r.InFlight, r.Unusable, r.Named, inFlight, unusable)
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
	if len(r.Views) != 3 || r.Views[0] != (View{Name: "revenue", Items: 2}) || r.Views[1] != (View{Name: "by-size", Items: 2}) ||
		!strings.Contains(r.Views[2].NotCompared, "subtractExpired") {
		t.Errorf("views %+v", r.Views)
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
		if got := fmt.Sprintf("%s %s: %s", r.Named[i].Table, r.Named[i].Key, r.Named[i].Reason); !strings.Contains(got, want) {
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
	if reason := r.Named[0].Reason; !strings.Contains(reason, "view revenue: attribute Orders: is no number") || !strings.Contains(reason, "; view ") {
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
	if len(r.Differences) > 0 || len(r.Moving) != 2 || r.InFlight != 0 {
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
	if r := w.compare(); len(r.Differences) != 2 || len(r.Moving) > 0 {
		t.Errorf("%+v, want two differences", r)
	}
}

// silent is a server that never answers.
type silent struct{}

func (silent) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// A server that gives no answer ends the comparison, which says that nothing is known.
func TestNoAnswer(t *testing.T) {
	w := newWorld(t)
	c := w.comparison()
	c.Answer = time.Millisecond
	c.Client = dynamodb.NewFromConfig(w.config, func(o *dynamodb.Options) { o.HTTPClient = &http.Client{Transport: silent{}} })
	_, err := c.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "the server gave no answer within 1ms") || !strings.Contains(err.Error(), "nothing is known") {
		t.Errorf("got %v, want no answer", err)
	}
}
