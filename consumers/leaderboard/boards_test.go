package leaderboard

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/consumers/leaderboard/boards"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/view"
)

// shop has boards of another kind than the game's: items of other views are in their table and in the partitions of their index, names
// are parts of a key, shards have texts, and one board has a sum and a count.
const shop = `
views:
  - name: plain
    from: {table: Orders}
    into: {table: Shop, key: {PK: PLAIN, SK: "{customer}"}}
    count: Orders
  - name: revenue
    from: {table: Orders}
    into: {table: Shop, key: {PK: REVENUE, SK: "CUSTOMER#{customer}#"}}
    shard: {attribute: Spread, by: "{customer}", count: "3", value: "s{shard}"}
    sum: {Revenue: total}
    count: Orders
  - name: monthly
    from: {table: Orders}
    into: {table: Shop, key: {PK: "MONTH#{box}", SK: "CUSTOMER#{customer}#"}}
    box: {of: placedAt, unit: month, zone: UTC}
    shard: {attribute: Spread, by: "{customer}", count: "3", value: "{box}-{shard}"}
    sum: {Revenue: total}
    since: Since
  - name: places
    from: {table: Orders}
    into: {table: Places, key: {place: {number: "{place}"}}}
    shard: {attribute: Spread, by: "{place}", count: "2"}
    count: Orders
  - name: digits
    from: {table: Shop, where: {PK: REVENUE}}
    into: {table: Levels, key: {Level: tens, From: {number: "{bucket}"}}}
    bucket: {of: Revenue, digits: 1}
    count: Customers
  - name: digits of another number
    from: {table: Shop, where: {PK: REVENUE}}
    into: {table: Levels, key: {Level: orders, From: {number: "{bucket}"}}}
    bucket: {of: Orders, digits: 1}
    count: Customers
`

// shopWorld makes the shop's tables. The index of Shop sorts by Revenue; Places has so many indexes that sort by Orders.
func shopWorld(t *testing.T, indexes int) (*dynamodb.Client, []*view.View) {
	t.Helper()
	client := dynamodb.NewFromConfig(servertest.DynamoDB(t))
	views, err := view.Parse("shop.yaml", []byte(shop), nil)
	if err != nil {
		t.Fatal(err)
	}
	hash := func(name string) types.KeySchemaElement {
		return types.KeySchemaElement{AttributeName: &name, KeyType: types.KeyTypeHash}
	}
	sorted := func(name string) types.KeySchemaElement {
		return types.KeySchemaElement{AttributeName: &name, KeyType: types.KeyTypeRange}
	}
	index := func(name string, keys ...types.KeySchemaElement) types.GlobalSecondaryIndex {
		return types.GlobalSecondaryIndex{IndexName: &name, KeySchema: keys, Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll}}
	}
	create := func(name string, attributes map[string]types.ScalarAttributeType, keys []types.KeySchemaElement, indexes ...types.GlobalSecondaryIndex) {
		in := &dynamodb.CreateTableInput{TableName: &name, BillingMode: types.BillingModePayPerRequest, KeySchema: keys, GlobalSecondaryIndexes: indexes}
		for attribute, of := range attributes {
			in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{AttributeName: &attribute, AttributeType: of})
		}
		if _, err := client.CreateTable(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	const s, n = types.ScalarAttributeTypeS, types.ScalarAttributeTypeN
	create("Shop", map[string]types.ScalarAttributeType{"PK": s, "SK": s, "Spread": s, "Revenue": n}, []types.KeySchemaElement{hash("PK"), sorted("SK")},
		index("by-kind", hash("SK"), sorted("PK")), index("by-revenue", hash("Spread"), sorted("Revenue")))
	create("Levels", map[string]types.ScalarAttributeType{"Level": s, "From": n}, []types.KeySchemaElement{hash("Level"), sorted("From")})
	places := []types.GlobalSecondaryIndex{index("other", hash("Spread"), sorted("place")), index("one", hash("Spread"), sorted("Orders")), index("two", hash("Spread"), sorted("Orders"))}
	attributes := map[string]types.ScalarAttributeType{"place": n, "Spread": n}
	if indexes > 0 {
		attributes["Orders"] = n
	}
	create("Places", attributes, []types.KeySchemaElement{hash("place")}, places[:1+indexes]...)
	return client, views
}

func shopItem(t *testing.T, client *dynamodb.Client, table string, item map[string]any) {
	t.Helper()
	values := map[string]types.AttributeValue{}
	for name, value := range item {
		if values[name] = numeral(value); fmt.Sprintf("%T", value) == "string" {
			values[name] = textValue(value.(string))
		}
	}
	if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(table), Item: values}); err != nil {
		t.Fatal(err)
	}
}

func names(entries []boards.Entry) string {
	var all []string
	for _, e := range entries {
		all = append(all, e.Name+" "+e.Number.String())
	}
	return strings.Join(all, ", ")
}

// Any view with a shard and a sum is a board, whatever its table, attributes and index are called. Fails if a reader knows a name, takes
// another view's items for the board's, or takes the count for the sum.
func TestAnyViewIsABoard(t *testing.T) {
	client, views := shopWorld(t, 1)
	for i, customer := range []string{"ann", "bob", "cem", "dora", "CUSTOMER#e#"} {
		shopItem(t, client, "Shop", map[string]any{"PK": "REVENUE", "SK": "CUSTOMER#" + customer + "#", "Spread": fmt.Sprint("s", i%3), "Revenue": 10 * (i + 1), "Orders": 9 - i})
		shopItem(t, client, "Shop", map[string]any{"PK": "MONTH#2026-03", "SK": "CUSTOMER#" + customer + "#", "Spread": fmt.Sprint("2026-03-", i%3), "Revenue": 100 - i, "Since": 1_800_000_000_000_000})
		shopItem(t, client, "Shop", map[string]any{"PK": "PLAIN", "SK": customer, "Spread": fmt.Sprint("s", i%3), "Revenue": 1000 + i})
		shopItem(t, client, "Places", map[string]any{"place": i, "Spread": i % 2, "Orders": 7})
		shopItem(t, client, "Levels", map[string]any{"Level": "tens", "From": 10 * (i + 1), "Customers": 1})
		shopItem(t, client, "Levels", map[string]any{"Level": "orders", "From": 9 - i, "Customers": 1})
	}
	for _, test := range []struct{ view, at, box, want string }{
		{"", "2026-01-01", "", "CUSTOMER#e# 50, dora 40, cem 30, bob 20"},
		{"revenue", "2026-01-01", "", "CUSTOMER#e# 50, dora 40, cem 30, bob 20"},
		{"monthly", "2026-03-31", "2026-03", "ann 100, bob 99, cem 98, dora 97"},
		{"monthly", "2026-04-01", "2026-04", ""},
		{"places", "2026-01-01", "", "0 7, 1 7, 2 7, 3 7"},
	} {
		board, err := boards.New(client, views, test.view)
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse(time.DateOnly, test.at)
		if err != nil {
			t.Fatal(err)
		}
		box := board.BoxAt(at)
		best, err := board.Top(t.Context(), box, 4)
		if got := names(best); err != nil || got != test.want || box != test.box {
			t.Errorf("%s of %s: %s of box %q, %v; want %s of %q", test.view, test.at, got, box, err, test.want, test.box)
		}
	}
	board, err := boards.New(client, views, "revenue")
	if err != nil {
		t.Fatal(err)
	}
	all, err := board.All(t.Context())
	if got := names(all); err != nil || got != "CUSTOMER#e# 50, dora 40, cem 30, bob 20, ann 10" {
		t.Errorf("all: %s, %v", got, err)
	}
	for i, e := range all {
		s, err := board.Rank(t.Context(), e.Name, 1)
		if err != nil || !s.Exact() || int(s.From) != i+1 || s.Entries != 5 || len(s.Above) != min(i, 1) || len(s.Below) != min(4-i, 1) {
			t.Errorf("rank of %s: %+v, %v", e.Name, s, err)
		}
	}
	if _, err := board.Rank(t.Context(), "zoe", 1); !errors.Is(err, boards.ErrNotOnBoard) {
		t.Errorf("rank of nobody: %v", err)
	}
	for name, want := range map[string]string{
		"monthly": "view monthly has a box; ranks are told of a board of all time",
		"places":  "no view counts the items of Places in buckets of Orders",
	} {
		board, err := boards.New(client, views, name)
		if err == nil {
			_, err = board.Rank(t.Context(), "1", 1)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("rank on %s: %v, want %q", name, err, want)
		}
	}
}

// Which index a board needs is said, with its keys. Fails if any index is taken.
func TestBoardWithoutItsIndex(t *testing.T) {
	for indexes, want := range map[int]string{
		0: "view places has no order: table Places needs a global secondary index with partition key Spread and sort key Orders",
		2: "view places has more than one order: table Places may have only one global secondary index with partition key Spread and sort key Orders, and has one, two",
	} {
		client, views := shopWorld(t, indexes)
		board, err := boards.New(client, views, "places")
		if err != nil {
			t.Fatal(err)
		}
		for _, ask := range []func(context.Context) error{
			func(ctx context.Context) error { _, err := board.Top(ctx, "", 1); return err },
			func(ctx context.Context) error { _, err := board.Rank(ctx, "1", 1); return err },
			func(ctx context.Context) error { _, err := board.All(ctx); return err },
		} {
			err := ask(t.Context())
			if fault, is := errors.AsType[*boards.IndexError](err); !is || fault.Error() != want && !strings.HasSuffix(err.Error(), want) {
				t.Errorf("with %d indexes: %v\nwant %s", indexes, err, want)
			}
		}
	}
}

// What is no board says why.
func TestViewsThatAreNoBoards(t *testing.T) {
	const view1 = "views:\n  - name: v\n    from: {table: T}\n"
	for text, want := range map[string]string{
		"    into: {table: U, key: {a: \"{a}\"}}\n    count: N\n":                                                                                                                               "it has no shard",
		"    into: {table: U, key: {a: \"{a}\"}}\n    shard: {attribute: s, by: \"{a}\", count: \"2\"}\n    latest: {x: y}\n":                                                                   "it has no sum or count",
		"    into: {table: U, key: {a: \"{a}\", b: \"{b}\"}}\n    shard: {attribute: s, by: \"{a}\", count: \"2\"}\n    count: N\n":                                                             "its key must have one value of an item",
		"    into: {table: U, key: {a: \"{a}\", b: \"{box}\"}}\n    box: {of: t, unit: day, zone: UTC}\n    shard: {attribute: s, by: \"{a}\", count: \"2\"}\n    count: N\n":                   "its index mixes all boxes",
		"    into: {table: U, key: {a: \"{box}#{a}\"}}\n    box: {of: t, unit: day, zone: UTC}\n    shard: {attribute: s, by: \"{a}\", count: \"2\", value: \"{box}#{shard}\"}\n    count: N\n": "no attribute of its key holds {a} without another value",
		"    into: {table: U, key: {a: \"{a}\"}}\n    shard: {attribute: s, by: \"{a}\", count: \"2\", value: \"{a}#{shard}\"}\n    count: N\n":                                                 "the shard's value depends on {a}",
	} {
		views, err := view.Parse("v.yaml", []byte(view1+text), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := boards.Choose(views, "v"); err == nil || !strings.HasPrefix(err.Error(), "view v is no board: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s%v, want %q", text, err, want)
		}
		for _, name := range []string{"", "w"} {
			if _, err := boards.Choose(views, name); !errors.Is(err, boards.ErrNoBoard) {
				t.Errorf("board %q: %v, want ErrNoBoard", name, err)
			}
		}
	}
}
