package ops

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"sluice/consumers/badges"
	"sluice/consumers/badges/rule"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/gametest"
)

const itemRules = `
plays:
  - {name: plays, table: "${SCORE_TABLE}", player: UserId, at: Timestamp, zone: UTC, earliest: 2000-01-01}
  - {name: orders, table: Orders, player: Customer, at: PlacedAt, zone: UTC, earliest: 2000-01-01}
badges:
  - {name: played, from: plays, title: {en: t}, text: {en: x}, first: {}}
  - {name: bought, from: orders, title: {en: t}, text: {en: x}, first: {}}
  - {name: two, from: orders, revoke: true, title: {en: t}, text: {en: x}, count: {plays: 2}}
  - {name: paid, title: {en: t}, text: {en: "{Total}"}, item: {table: Orders, player: Customer, each: Id, where: {Status: PAID}}}
  - {name: big-spender, title: {en: t}, text: {en: x}, item: {table: Revenue, player: Customer, each: Customer, where: {Total: {atLeast: 1000}}}}
  - {name: any, quiet: true, title: {en: t}, text: {en: "{Nothing}"}, item: {table: Revenue, player: Customer, each: [Customer, Total]}}
  - {name: member, title: {en: t}, text: {en: x}, all: [played, big-spender]}
  - {name: valued, title: {en: t}, text: {en: x}, all: [two, paid]}
`

func bookOf(t testing.TB, rules string) *rule.Book {
	t.Helper()
	book, err := badges.DefaultSettings().Rules(gametest.With(badges.RulesFile, "rules.yaml", rules))
	if err != nil {
		t.Fatal(err)
	}
	return book
}

// casesOf reads cases, in which ${TABLE} is Revenue.
func casesOf(t testing.TB, book *rule.Book, text string) ([]Case, error) {
	t.Helper()
	cases, err := OpenCases("c.yaml", []byte("cases:\n"+text), map[string]string{"TABLE": "Revenue"})
	if err != nil {
		t.Fatal(err)
	}
	return cases.Of(book)
}

// An item earns its badge when it comes to match: by its insert, or by a later change; and not once more, whatever becomes of it.
func TestCasesOfItems(t *testing.T) {
	const (
		poor    = "{Customer: ann, Total: 600}"
		rich    = "{Customer: ann, Total: 1000.0}"
		richer  = "{Customer: ann, Total: 1e3, Note: null, Lines: [{sku: a}, 2], Open: false}"
		another = "{Customer: bob, Total: 2000}"
	)
	change := func(before, after string) string {
		return strings.ReplaceAll("{table: \"${TABLE}\", before: "+before+", after: "+after+"}", "before: , ", "")
	}
	for name, test := range map[string]struct{ plays, items, want string }{
		"an insert that matches":            {items: change("", rich), want: "[any##ann#1000, big-spender##ann]"},
		"an insert that doesn't":            {items: change("", poor), want: "[any##ann#600]"},
		"it comes to match":                 {items: change(poor, rich), want: "[big-spender##ann]"},
		"it matched before":                 {items: change(rich, richer), want: "[]"},
		"it matches no more":                {items: change(rich, poor), want: "[]"},
		"it is removed":                     {items: change(rich, "null"), want: "[]"},
		"it matches again":                  {items: change(poor, rich) + "," + change(rich, poor) + "," + change(poor, rich), want: "[big-spender##ann]"},
		"it is removed, and comes back":     {items: change(poor, rich) + "," + change(rich, "null") + "," + change("", rich), want: "[big-spender##ann, any##ann#1000]"},
		"two customers":                     {items: change(poor, rich) + "," + change("{Customer: bob, Total: 1}", another), want: "{ann: [big-spender##ann], bob: [big-spender##bob]}"},
		"together with plays":               {plays: "{plays: [{UserId: ann, Timestamp: \"2024-01-01\"}]}", items: change(poor, rich), want: "[played, big-spender##ann, member]"},
		"an order that is paid is a play":   {items: `{table: Orders, after: {Id: a, Customer: ann, PlacedAt: "2024-01-01", Status: PAID, Total: 5}}`, want: "[bought, paid##a]"},
		"a play that is paid is an item":    {plays: `{orders: [{Customer: ann, Id: a, PlacedAt: "2024-01-01", Status: PAID, Total: 5}]}`, want: "[bought, paid##a]"},
		"the plays of an award are removed": {plays: `{orders: [{Customer: ann, Id: a, PlacedAt: "2024-01-01"}, {Customer: ann, Id: b, PlacedAt: "2024-01-02"}]}`, items: `{table: Orders, before: {Customer: ann, Id: b, PlacedAt: "2024-01-02"}}`, want: "[bought]"},
	} {
		text := "  - name: x\n    items: [" + test.items + "]\n    badges: " + quoteKeys(test.want) + "\n"
		if test.plays != "" {
			text += "    plays: " + test.plays + "\n"
		}
		book := bookOf(t, itemRules)
		list, err := casesOf(t, book, text)
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, text)
			continue
		}
		if mistakes := list[0].Run(book); len(mistakes) > 0 {
			t.Errorf("%s: %+v", name, mistakes)
		}
	}
}

// quoteKeys puts awards' keys in quotes, since # begins a comment.
func quoteKeys(list string) string {
	for _, word := range strings.FieldsFunc(list, func(r rune) bool { return strings.ContainsRune("[]{}, :", r) }) {
		if strings.Contains(word, "#") && !strings.Contains(list, `"`+word+`"`) {
			list = strings.ReplaceAll(list, word, `"`+word+`"`)
		}
	}
	return list
}

// What is wrong with an item is told with its place: also what makes the consumer's change a dead letter.
func TestFaultsOfItems(t *testing.T) {
	book := bookOf(t, itemRules)
	_, err := casesOf(t, book, `
  - name: faulty
    items:
      - {table: Ordres, after: {Id: a}}
      - {table: Orders}
      - {table: Orders, after: {Id: a, Customer: ann, PlacedAt: "2024-01-01", Status: PAID}}
      - {table: Orders, after: {Id: a, Customer: "", PlacedAt: "2024-01-01", Status: PAID, Total: 1}}
      - {table: Orders, after: {Id: a, Customer: ann, PlacedAt: soon, Total: 1}}
      - {table: Orders, before: {Id: a}, after: {Id: b}}
      - {table: Revenue, after: {Customer: ann, Total: 1e500}}
      - {table: Revenue, after: {Total: 5000}, then: {}}
      - {table: Revenue, after: 3}
    badges: []
  - {name: no list, items: {table: Orders}, badges: []}
`)
	if err == nil {
		t.Fatal("a faulty file was taken")
	}
	for _, want := range []string{
		"c.yaml:5:17: no rule is about items of Ordres; tables with such rules: Orders, Revenue",
		"c.yaml:6:10: item: it needs before, after or both",
		`c.yaml:7:10: the consumer can't use this item: badge paid: attribute "Total"`,
		`c.yaml:8:10: the consumer can't use this item: view badges-orders-total: `, "would be empty",
		`c.yaml:9:10: the consumer can't use this item: `, `"soon" is no timestamp`,
		"c.yaml:10:10: the consumer can't use this item: no text and no number is the same in before and after",
		"c.yaml:11:56: after: Total: DynamoDB holds no such number as 1e500",
		`c.yaml:12:48: item: unknown key "then"`, `c.yaml:12:10: the consumer can't use this item: badge big-spender: attribute "Customer"`, `badge any: attribute "Customer"`,
		"c.yaml:13:33: after must be an object, not a single value",
		"c.yaml:15:29: items must be a list of changes",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in\n%v", want, err)
		}
	}
	if n := strings.Count(err.Error(), "c.yaml:13:"); n != 1 {
		t.Errorf("%d faults of line 13 in\n%v", n, err)
	}
}

// Plays of several blocks are given by block.
func TestCasesOfBlocks(t *testing.T) {
	book := bookOf(t, itemRules)
	list, err := casesOf(t, book, `
  - name: one of each
    plays: {plays: [{UserId: ann, Timestamp: "2024-01-01"}], orders: [{Customer: ann, PlacedAt: "2024-01-01"}, {Customer: bob, PlacedAt: "2024-01-01"}]}
    badges: {ann: [played, bought], bob: [bought]}
  - {name: nobody says who, plays: {orders: [{days: 2, from: 2024-01-01}]}, badges: [bought, two]}
`)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range list {
		if mistakes := c.Run(book); len(mistakes) > 0 {
			t.Errorf("%s: %+v", c.Name, mistakes)
		}
	}
	_, err = casesOf(t, book, "  - {name: a list, plays: [{UserId: ann}], badges: []}\n  - {name: unknown, plays: {order: []}, badges: []}\n")
	for _, want := range []string{`c.yaml:2:27: plays must be lists by what they are, like {plays: [{Timestamp: "2024-01-01 10:00:00"}]}`, `c.yaml:3:29: plays: unknown key "order"; there are: plays, orders`} {
		if !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("no %q in\n%v", want, err)
		}
	}
}

// drawn is an item of a random history; nil: it isn't there.
type drawn map[string]string

func (d drawn) yaml() string {
	if d == nil {
		return "null"
	}
	var all []string
	for name, value := range d {
		if name != "Total" {
			value = fmt.Sprintf("%q", value)
		}
		all = append(all, name+": "+value)
	}
	slices.Sort(all)
	return "{" + strings.Join(all, ", ") + "}"
}

func (d drawn) item() consumertest.Item {
	if d == nil {
		return nil
	}
	item := consumertest.Item{}
	for name, value := range d {
		if item[name] = consumertest.S(value); name == "Total" {
			item[name] = consumertest.N(decimal.RequireFromString(value).String()) // as DynamoDB writes it
		}
	}
	return item
}

// TestItemCasesAreAsTheFunction plays random histories of items through the cases and through the function: items of a table that only a
// rule of kind item names, and of one that has plays too. What stands in the end is the same.
func TestItemCasesAreAsTheFunction(t *testing.T) {
	const histories, seed = 60, 7
	w := newAuditWorld(t)
	w.book = bookOf(t, itemRules)
	function := badges.NewOf(w.client, w.topic.SNS, w.settings, w.book)
	random, n := rand.New(rand.NewPCG(seed, 0)), 0
	pick := func(of ...string) string { return of[random.IntN(len(of))] }
	various := map[string]bool{}
	for h := range histories {
		player, items, now := fmt.Sprint("player-", h), "", map[string]drawn{}
		for range 1 + random.IntN(7) {
			table, id := pick("Revenue", "Orders", "Orders"), pick("a", "b")
			before, after := now[table+id], drawn{"Id": id, "Customer": player, "Total": pick("600", "1000", "1e3", "1000.10")}
			if table == "Orders" {
				after["PlacedAt"], after["Status"] = "2024-01-01 10:00:00", pick("NEW", "PAID")
			}
			if before != nil && random.IntN(3) == 0 {
				after = nil
			}
			now[table+id] = after
			items += strings.ReplaceAll(fmt.Sprintf("{table: %s, before: %s, after: %s}, ", table, before.yaml(), after.yaml()), "before: null, ", "")
			n++
			c := consumertest.Change{Table: table, Time: time.Now().Add(time.Duration(n)*time.Millisecond - time.Hour), Keys: consumertest.Item{"Id": consumertest.S(id), "Customer": consumertest.S(player)}, Old: before.item(), New: after.item()}
			parsed, err := change.Parse(c.Record())
			if err != nil {
				t.Fatal(err)
			}
			if err := function.ApplyBatch(t.Context(), []*change.Change{parsed})[0]; consumer.OutcomeOf(err) == consumer.Retry || consumer.OutcomeOf(err) == consumer.Rejected {
				t.Fatalf("%v: %v", c, err)
			}
		}
		list, err := casesOf(t, w.book, "  - {name: x, items: ["+items+"], badges: []}\n")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range list[0].Run(w.book) {
			got = append(got, m.Extra...)
		}
		want := w.standing(player)
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("%s earns %q in a case, %q live", items, got, want)
		}
		for _, key := range want {
			various[rule.BadgeOf(key)] = true
		}
	}
	if len(various) < 6 {
		t.Errorf("only %v were earned", various)
	}
}

// standing returns the keys of a player's awards that weren't taken back, sorted.
func (w *auditWorld) standing(player string) []string {
	w.t.Helper()
	stored, err := w.auditor().giver.Store.List(w.t.Context(), player)
	if err != nil {
		w.t.Fatal(err)
	}
	var keys []string
	for _, a := range stored {
		if a.RevokedAt == "" {
			keys = append(keys, a.Award.Key())
		}
	}
	slices.Sort(keys)
	return keys
}
