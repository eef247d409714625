package query

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/consumers/search"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/gametest"
	"sluice/shared/consumertest/proof"
)

// Any item that DynamoDB takes is found by a search for each of its own values, or the
// answer says why not, or the item is a dead letter that says why; and the comparison of
// table and index says just what searches say. Fails for each kind of name, letter, length or
// number that one of the three treats otherwise than the others.
func TestEveryItemIsFoundByItsOwnValues(t *testing.T) {
	seed := rand.Uint64()
	g := &generator{rand.New(rand.NewPCG(seed, 0))}
	w := newWorld(t)
	w.Timeout = time.Minute // the machine may be busy
	rows := w.table()
	items := map[string]consumertest.Item{} // by sort key
	var batch []*change.Change
	for i := range proof.Size(12, 2) {
		key, item := fmt.Sprint("item ", i), g.item()
		keys := consumertest.Item{"PK": consumertest.S("USER#ann"), "SK": consumertest.S(key)}
		for name, v := range keys {
			item[name] = v
		}
		if _, err := rows.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(gametest.PetTable), Item: item.AttributeValues()}); err != nil {
			t.Fatalf("seed %d: DynamoDB doesn't take %.500v: %v", seed, item, err)
		}
		c, err := change.Parse(consumertest.Change{Table: gametest.PetTable, Time: w.clock, Keys: keys, New: item}.Record())
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		items[key], batch = item, append(batch, c)
	}
	missing := map[string]bool{}
	for i, err := range w.consumer.ApplyBatch(t.Context(), batch) {
		key, _ := batch[i].Keys.String("SK")
		switch consumer.OutcomeOf(err) {
		case consumer.Applied:
		case consumer.Rejected:
			if missing[key] = true; !strings.Contains(err.Error(), "index pets") || !strings.Contains(err.Error(), "400 ") {
				t.Errorf("seed %d: a dead letter says %v", seed, err)
			}
		default:
			t.Errorf("seed %d: %.500v: %v", seed, items[key], err)
		}
	}
	w.request(http.MethodPost, "/pets-all/_refresh", "")
	for key, item := range items {
		if !missing[key] {
			w.findsByEachValue(seed, key, item)
		}
	}
	compared, differ, err := Compare(t.Context(), w.tables, w.settings)
	if err != nil || compared != len(items) || len(differ) != len(missing) {
		t.Errorf("seed %d: %d dead letters, but of %d items the comparison says %+v, %v", seed, len(missing), compared, differ, err)
	}
	for _, id := range differ {
		if key := id[strings.LastIndexByte(id, '#')+1:]; !missing[key] {
			t.Errorf("seed %d: the comparison says that %s is missing", seed, id)
		}
	}
}

// Compare compares the pets' table with its index: how many items it compared, and the ids of the missing documents. It fails if
// anything else differs. Package ops has it, which imports this one: see compare_test.go.
var Compare func(ctx context.Context, cfg aws.Config, s search.Settings) (items int, missing []string, err error)

// table makes the pets' table.
func (w *world) table() *dynamodb.Client {
	w.t.Helper()
	w.tables = servertest.DynamoDB(w.t)
	rows := dynamodb.NewFromConfig(w.tables)
	if _, err := rows.CreateTable(w.t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String(gametest.PetTable), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("PK"), AttributeType: types.ScalarAttributeTypeS}, {AttributeName: aws.String("SK"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("PK"), KeyType: types.KeyTypeHash}, {AttributeName: aws.String("SK"), KeyType: types.KeyTypeRange}},
	}); err != nil {
		w.t.Fatal(err)
	}
	return rows
}

// findsByEachValue searches for each value of an item.
func (w *world) findsByEachValue(seed uint64, key string, item consumertest.Item) {
	w.t.Helper()
	finds := func(r Request) {
		w.t.Helper()
		r.Index, r.Size = "pets", MaxSize
		r.Filters = append(r.Filters, Filter{"SK", key})
		a, err := w.Search(w.t.Context(), r)
		if wrong, ok := errors.AsType[*Error](err); ok && (strings.Contains(wrong.Reason, "are the most") || strings.Contains(wrong.Reason, fmt.Sprintf("more than %d terms", MaxTerms))) {
			return // too long to be asked for
		}
		if err != nil || len(a.Hits) != 1 && len(a.Notes) == 0 {
			w.t.Errorf("seed %d: %s isn't found by %.300q %.300q: %v", seed, key, r.Text, r.Filters, err)
		}
	}
	for _, field := range []string{"species", "ownerId", "tags", "name", "breed"} {
		for _, text := range textsOf(item[field]) {
			finds(Request{Filters: []Filter{{field, text}}})
			finds(Request{Text: field + ":" + quoted(text)})
			if len(text) < 200 { // a longer one only as it is written, all small or all capitals
				finds(Request{Text: field + ":" + quoted(strings.ToUpper(text))})
			}
			if strings.TrimSpace(text) != "" {
				finds(Request{Text: text})
			}
		}
	}
	for _, text := range textsOf(item["notes"]) {
		// A text without a keyword beneath it is found by its words only. The halfwidth sound marks are letters, but no words.
		if strings.ContainsFunc(strings.Trim(text, "\uff9e\uff9f"), unicode.IsLetter) {
			finds(Request{Text: "notes:" + quoted(text)})
		}
	}
	for _, field := range []string{"age", "weight"} {
		for _, number := range textsOf(item[field]) {
			finds(Request{Text: field + ":" + number})
			finds(Request{Filters: []Filter{{field, number}}})
			finds(Request{Text: field + ":" + number + ".." + number})
		}
	}
}

func quoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// textsOf returns the texts and numbers that a value consists of.
func textsOf(v consumertest.Value) []string {
	var texts []string
	if v["S"] != nil || v["N"] != nil {
		texts = append(texts, v.Text())
	}
	if set, ok := v["SS"].([]string); ok {
		texts = append(texts, set...)
	}
	if set, ok := v["NS"].([]string); ok {
		texts = append(texts, set...)
	}
	if list, ok := v["L"].([]consumertest.Value); ok {
		for _, member := range list {
			texts = append(texts, textsOf(member)...)
		}
	}
	return texts
}

// generator makes items of pets.
type generator struct{ *rand.Rand }

func oneOf[T any](g *generator, all []T) T { return all[g.IntN(len(all))] }

func (g *generator) item() consumertest.Item {
	item := consumertest.Item{"entityType": consumertest.S("PET"), "name": consumertest.S(g.text())}
	for _, field := range []string{"species", "ownerId", "breed", "notes", "tags"} {
		switch g.IntN(8) {
		case 0:
			item[field] = consumertest.N(g.number())
		case 1:
			item[field] = consumertest.Value{"SS": slices.Compact(slices.Sorted(slices.Values([]string{g.text() + "1", g.text() + "2"})))}
		case 2:
			item[field] = consumertest.Value{"L": []consumertest.Value{consumertest.S(g.text()), {"NULL": true}, consumertest.N(g.number())}}
		case 3:
			item[field] = oneOf(g, []consumertest.Value{{"NULL": true}, {"BOOL": true}, consumertest.B([]byte{0, 0xff}), {"L": []consumertest.Value{}}, {"M": consumertest.Item{}}, {"M": consumertest.Item{"x": consumertest.S("y")}}})
		default:
			item[field] = consumertest.S(g.text())
		}
	}
	for _, field := range []string{"age", "weight"} {
		item[field] = consumertest.N(g.number())
		if g.IntN(20) == 0 {
			item[field] = consumertest.S("no number")
		}
	}
	for range g.IntN(4) {
		name := oneOf(g, []string{".", ".a", "a..b", "a.b", "a", "_id", "_source", "_routing", "_sluice", "_sluice.deleted", "_sluice.time", "_sluiceItem", "name.raw", "name.x", "species.", " ", "\x00", "é", "a\nb", strings.Repeat("n", 40_000)})
		item[name] = oneOf(g, []consumertest.Value{{"BOOL": true}, consumertest.S("2200-01-01T00:00:00Z"), {"M": consumertest.Item{"_id": consumertest.S("x"), "..": consumertest.N("1")}}, {"L": []consumertest.Value{{"L": []consumertest.Value{}}}}})
	}
	return item
}

// text makes a text of parts that mean something to somebody, or of a length at a limit.
func (g *generator) text() string {
	if g.IntN(6) == 0 {
		return strings.Repeat(oneOf(g, []string{"x", "ü", "🦥", "two "}), oneOf(g, []int{1, 63, 65, 255, 256, 257, 2000, 8191, 8192, 8193, 11_000}))
	}
	var text strings.Builder
	for range 1 + g.IntN(4) {
		text.WriteString(oneOf(g, append([]string{" ", "-", "ÜNÏ", "straße", "İı", "Σίς", "word", "dog", "42", "\u0301", "\u200b", "\ufeff", "\ufffe", "漢字", "ไทย", "العربية", "_", "a.b", "."}, titles...)))
	}
	return text.String()
}

func (g *generator) number() string {
	return oneOf(g, []string{"0", "-1", "42", "9.99", "0.1", "1e125", "-9.9999999999999999999999999999999999999e125", "1e-130", "-1e-130", "12345678901234567890123456789012345678", "9007199254740993", "0.30000000000000004", "99999999999999999999"})
}
