package ops

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

	"sluice/consumers/replication"
	"sluice/consumers/replication/internal/store"
	"sluice/consumers/replication/mark"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumer"
	"sluice/shared/consumertest/operatetest"
	"sluice/shared/operate"
)

// badOrders are items that a copy takes, or can't hold, by kind.
var badOrders = map[string]store.Item{
	"empty text":     {"text": textValue("")},
	"empty list":     {"text": &types.AttributeValueMemberL{Value: []types.AttributeValue{}}},
	"empty map":      {"text": &types.AttributeValueMemberM{Value: store.Item{}}},
	"38 digits":      {"text": &types.AttributeValueMemberN{Value: strings.Repeat("9", 38) + "E+87"}},
	"binary":         {"text": &types.AttributeValueMemberB{Value: []byte{0, 0xff}}},
	"binary set":     {"text": &types.AttributeValueMemberBS{Value: [][]byte{{0}, {0xff}}}},
	"null":           {"text": &types.AttributeValueMemberNULL{Value: true}},
	"too large":      {"text": textValue(strings.Repeat("x", 400<<10-80))}, // with the mark
	"reserved":       {mark.Attribute: textValue("not a mark")},
	"another filter": {"state": &types.AttributeValueMemberN{Value: "1"}},
}

// copyWorld is a table of orders and its copy.
func copyWorld(t *testing.T) *operatetest.World {
	w := newWorld(t)
	route := newTestPair(w, ordersRoute).route
	key := func(n int) store.Item { return idOf(fmt.Sprint(n)) }
	at := func(client *http.Client) *pair {
		cfg := w.config.Copy()
		cfg.HTTPClient, cfg.Retryer = client, func() aws.Retryer { return aws.NopRetryer{} }
		return newPair(cfg, replication.DefaultSettings(), route, 2, time.Now)
	}
	direct := at(http.DefaultClient)
	deliver := func(n int, made time.Time) error {
		source, _, err := direct.source.Get(t.Context(), key(n))
		if err == nil && direct.source.Keys == nil {
			err = direct.open(t.Context())
		}
		if err != nil {
			return err
		}
		m := versionMark(made, servertest.Region)
		if source == nil {
			return direct.copy.Remove(t.Context(), key(n), m)
		}
		wanted, _ := route.Copied(source)
		return direct.copy.Put(t.Context(), key(n), wanted, m, false)
	}
	remove := func(region, table string, key store.Item) {
		if _, err := w.client(region).DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &table, Key: key}); err != nil {
			t.Fatal(err)
		}
	}
	held := func(each func(item store.Item)) {
		if err := direct.held.Scan(t.Context(), 1, func(_ context.Context, page operate.Page) error {
			for _, item := range page.Items {
				each(item)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	old := time.Now().Add(-time.Hour)
	spoil := func(n int) {
		if _, err := w.client(away).PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("Copy"), Item: marked(fmt.Sprint(n), "damaged", servertest.Region, old)}); err != nil {
			t.Fatal(err)
		}
	}
	bad := map[string]func(){}
	for kind, attributes := range badOrders {
		bad[kind] = func() {
			item := order("bad "+kind, "open", "bad")
			if kind == "too large" {
				item = store.Item{"Id": textValue("bad " + kind), "state": textValue("open")}
			}
			for name, value := range attributes {
				item[name] = value
			}
			w.write(item)
		}
	}
	return &operatetest.World{
		Write:  func(n, version int) { w.write(order(fmt.Sprint(n), "open", fmt.Sprint("version ", version))) },
		Remove: func(n int) { remove(servertest.Region, "Orders", key(n)) },
		Deliver: func(n int, made time.Time) {
			if err := deliver(n, made); consumer.OutcomeOf(err) == consumer.Retry || consumer.OutcomeOf(err) == consumer.Rejected {
				t.Fatal(err)
			}
		},
		Damages: []operatetest.Damage{
			{What: operate.Missing, Do: func(n int) { remove(away, "Copy", key(n)) }},
			{What: operate.Different, Do: spoil},
			{What: operate.Extra, Do: spoil, Undelivered: true},
		},
		Bad: bad,
		Wipe: func() {
			held(func(item store.Item) { remove(away, "Copy", store.Item{"Id": item["Id"]}) })
		},
		Held: func() map[string]string {
			all := map[string]string{}
			held(func(item store.Item) { all[textOf(item["Id"])] = textOf(item["text"]) })
			for kind := range badOrders {
				delete(all, fmt.Sprintf("%q", "bad "+kind))
			}
			return all
		},
		Compare:  func(client *http.Client) operate.Comparison { return at(client) },
		Backfill: func(client *http.Client) operate.Backfill { return &backfill{pair: at(client)} },
	}
}

// A copy's comparison, repair and backfill, whatever happens to them.
func TestOperateCopy(t *testing.T) { operatetest.Run(t, operatetest.Suite{New: copyWorld}) }
