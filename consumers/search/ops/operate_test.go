package ops

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/consumers/search/internal/document"
	"sluice/consumers/search/internal/searchtest"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/operatetest"
	"sluice/shared/operate"
)

// badItems are attributes that an index leaves out, refuses, or takes in another form, by kind.
var badItems = map[string]consumertest.Item{
	"empty text":     {"text": consumertest.S("")},
	"empty list":     {"text": {"L": []consumertest.Value{}}},
	"empty map":      {"text": {"M": consumertest.Item{}}},
	"38 digits":      {"n": consumertest.N(strings.Repeat("9", 38))},
	"no number":      {"n": consumertest.S("no number")},
	"binary":         {"text": consumertest.B([]byte{0, 0xff})},
	"null":           {"text": {"NULL": true}},
	"hostile names":  {"a.b": consumertest.S("x"), " ": consumertest.S("x"), "_id": consumertest.S("x")},
	"reserved":       {document.Field: consumertest.S("x"), document.ItemField: consumertest.S("x")},
	"too large":      {"text": consumertest.S(strings.Repeat("x", 400<<10-80))},
	"another filter": {"kind": consumertest.N("1")},
	"filtered away":  {"kind": consumertest.S("private")},
}

// indexWorld is a table and its index.
func indexWorld(t *testing.T) *operatetest.World {
	g := newReindexed(t)
	define := func() { searchtest.Define(g.Routes[0], newDefinition) }
	define()
	g.Clock = time.Now()
	id := func(n int) string { return fmt.Sprint("item ", n) }
	index := "/" + g.Route.WriteAlias()
	request := func(method, path, body string) {
		t.Helper()
		g.Must(method, path, body, nil)
	}
	put := func(id, text string) {
		request(http.MethodPut, index+"/_doc/"+url.PathEscape(id),
			fmt.Sprintf(`{"_sluice":{"time":"2026-01-02T03:04:06Z","indexed":"2026-01-02T03:04:06Z"},"id":%q,"kind":"pub","text":%q}`, id, text))
	}
	direct := g.tool(nil)
	at := func(client *http.Client) *Operator {
		cfg := g.Cfg.Copy()
		cfg.HTTPClient, cfg.Retryer = client, func() aws.Retryer { return aws.NopRetryer{} }
		p, err := newTestOperator(cfg, g.source, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		p.Route = g.Routes[0]
		return p
	}
	bad := map[string]func(){}
	for kind, attributes := range badItems {
		bad[kind] = func() { g.write(searchtest.At(0, "bad "+kind, attributes)) }
	}
	// There is an index from the start, as there is once the function had a change.
	wipe := func() {
		if err := dropIndexes(t.Context(), g.Cfg); err != nil {
			t.Fatal(err)
		}
		if err := direct.client.CreateFirst(t.Context(), g.Routes[0]); err != nil {
			t.Fatal(err)
		}
	}
	wipe()
	return &operatetest.World{
		Write: func(n, version int) {
			g.write(searchtest.At(0, id(n), searchtest.Text(fmt.Sprint("version ", version))))
		},
		Remove: func(n int) { g.write(searchtest.At(0, id(n), nil)) },
		Deliver: func(n int, made time.Time) {
			c := searchtest.At(0, id(n), nil)
			out, err := g.rows.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("Source"), Key: c.Keys.AttributeValues(), ConsistentRead: aws.Bool(true)})
			if err != nil {
				t.Fatal(err)
			}
			parsed := searchtest.Parsed(c)
			if out.Item != nil {
				if parsed, err = change.FromItem("Source", []string{"id"}, out.Item, made); err != nil {
					t.Fatal(err)
				}
			}
			parsed.Version = made.UnixMicro()
			err = g.ApplyBatch(t.Context(), []*change.Change{parsed})[0]
			if o := consumer.OutcomeOf(err); o == consumer.Retry || o == consumer.Rejected {
				t.Fatal(err)
			}
		},
		Damages: []operatetest.Damage{
			{What: operate.Missing, Do: func(n int) { request(http.MethodDelete, index+"/_doc/"+url.PathEscape(id(n)), "") }},
			{What: operate.Different, Do: func(n int) { put(id(n), "damaged") }},
			{What: operate.Extra, Do: func(n int) { put(id(n), "damaged") }, Undelivered: true},
			{What: Foreign, Do: func(int) { put("two#values", "foreign") }, Unrepaired: true},
		},
		Bad:  bad,
		Wipe: wipe,
		Held: func() map[string]string {
			request(http.MethodPost, index+"/_refresh", "")
			all := map[string]string{}
			for _, found := range g.search() {
				id, text, _ := strings.Cut(found, ":")
				if !strings.HasPrefix(id, "bad ") {
					all[id] = text
				}
			}
			return all
		},
		Compare:  func(client *http.Client) operate.Comparison { return at(client).Comparison(2) },
		Backfill: func(client *http.Client) operate.Backfill { return at(client).Backfill(2) },
	}
}

// An index's comparison, repair and backfill, whatever happens to them.
func TestOperateIndex(t *testing.T) { operatetest.Run(t, operatetest.Suite{New: indexWorld}) }
