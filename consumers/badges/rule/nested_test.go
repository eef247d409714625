package rule

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/shared/change"
	"sluice/shared/consumertest"
)

// Rules over values within attributes, each with plays that have them, lack them, or have another type there. Fails if a
// rule looks at an attribute whose own name has the dot, or at one of two that are called alike.
func TestRulesOfNestedValues(t *testing.T) {
	type item = consumertest.Item
	m := func(members item) consumertest.Value { return consumertest.Value{"M": members} }
	s, n := consumertest.S, consumertest.N
	b := parse(t, `  - {name: each, title: {en: t}, text: {en: x}, first: {each: game.name}}
  - {name: dot, title: {en: t}, text: {en: x}, first: {each: 'game\.name'}}
  - {name: sum, title: {en: t}, text: {en: x}, total: {of: game.score, reaches: 10}, where: {game.score: {above: 0}}}
  - {name: lines, title: {en: t}, text: {en: x}, total: {of: "lines[].qty", reaches: 5}, where: {kind: order}}
  - {name: where, title: {en: t}, text: {en: x}, count: {plays: 1}, where: {game.mode: solo}}
  - {name: many, title: {en: t}, text: {en: x}, distinct: {of: game.name, values: 2}}
`)
	fold := func(plays ...item) ([]string, error) {
		states := States{}
		for i, play := range plays {
			play["Player"], play["At"] = s("p"), s(fmt.Sprintf("2024-01-15 10:00:%02d", i))
			c, err := change.FromItem("Plays", []string{"Player", "At"}, play.AttributeValues(), time.Unix(1e9, 0))
			if err != nil {
				t.Fatal(err)
			}
			if err := b.Fold(c, states); err != nil {
				return nil, err
			}
		}
		var earned []string
		for _, r := range b.Rules {
			earned = append(earned, keys(r.Earned(states["p"], ""))...)
		}
		return earned, nil
	}
	lines := func(qty ...string) consumertest.Value {
		all := []consumertest.Value{}
		for _, q := range qty {
			all = append(all, m(item{"qty": n(q)}))
		}
		return consumertest.Value{"L": all}
	}
	for name, test := range map[string]struct {
		plays []item
		want  []string
		err   string
	}{
		"members":                   {[]item{{"game": m(item{"name": s("chess"), "score": n("4"), "mode": s("solo")})}, {"game": m(item{"name": s("go"), "score": n("6")})}}, []string{"each##chess", "each##go", "sum", "where", "many"}, ""},
		"a dot in a name":           {[]item{{"game.name": s("chess"), "game.score": n("99"), "game.mode": s("solo")}}, []string{"dot##chess"}, ""},
		"both":                      {[]item{{"game.name": s("chess"), "game": m(item{"name": s("go")})}}, []string{"each##go", "dot##chess"}, ""},
		"no map":                    {[]item{{"game": s("chess")}}, nil, ""},
		"NULL":                      {[]item{{"game": consumertest.Value{"NULL": true}}}, nil, ""},
		"a score of text":           {[]item{{"game": m(item{"score": s("99")})}}, nil, ""},
		"members of lists":          {[]item{{"kind": s("order"), "lines": lines("2", "1.5")}, {"kind": s("order"), "lines": lines()}, {"kind": s("order"), "lines": lines("1.5")}}, []string{"lines"}, ""},
		"not quite enough":          {[]item{{"kind": s("order"), "lines": lines("2", "2.99")}}, nil, ""},
		"no list":                   {[]item{{"kind": s("order")}}, nil, `attribute "lines" is missing, want type L`},
		"a list that doesn't count": {[]item{{"kind": s("visit"), "lines": s("none")}}, nil, ""},
	} {
		got, err := fold(test.plays...)
		if diff := cmp.Diff(test.want, got); diff != "" || (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

// A rule of kind item whose player, values, conditions and text are within attributes.
func TestItemRuleOfNestedValues(t *testing.T) {
	type item = consumertest.Item
	b := parse(t, `  - {name: i, title: {en: t}, text: {en: "Hello {owner.name} from {owner.address.city}"}, item: {table: Pets, player: owner.id, each: [tag.no, SK], where: {tag.kind: chip}}}
`)
	pet := func(owner, tag consumertest.Value) *change.Change {
		c, err := change.Parse(consumertest.Change{Table: "Pets", Time: time.Unix(1e9, 0), Keys: item{"SK": consumertest.S("s")}, New: item{"owner": owner, "tag": tag}}.Record())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	m := func(members item) consumertest.Value { return consumertest.Value{"M": members} }
	chip := m(item{"kind": consumertest.S("chip"), "no": consumertest.N("7")})
	owner := m(item{"id": consumertest.S("ann"), "name": consumertest.S("Ann"), "address": m(item{"city": consumertest.S("Bonn")})})
	for name, test := range map[string]struct {
		c    *change.Change
		want string
	}{
		"all there":    {pet(owner, chip), "ann i##7#s Hello Ann from Bonn"},
		"no owner":     {pet(m(item{}), chip), `attribute "owner.id" is missing, want type S`},
		"owner's name": {pet(consumertest.S("ann"), chip), `attribute "owner" has type S, want M`},
		"another kind": {pet(owner, m(item{"kind": consumertest.S("ring")})), ""},
		"no city":      {pet(m(item{"id": consumertest.S("ann"), "name": consumertest.S("Ann")}), chip), `attribute "owner.address.city" is missing, want type S`},
	} {
		player, award, err := b.Rules[0].OfItemChange(test.c)
		got := ""
		if err == nil && player != "" {
			var text string
			text, err = Fill(b.Rules[0].Text["en"], award, test.c)
			got = player + " " + award.Key() + " " + text
		}
		if err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// What a rule can't look at is a fault that says what it can.
func TestFaultsOfNestedValues(t *testing.T) {
	for rule, want := range map[string]string{
		`first: {each: "lines[].sku"}`:                          "lines[].sku is each member of a list",
		`distinct: {of: "a[0]", values: 2}`:                     "by its place",
		`total: {of: a..b, reaches: 2}`:                         "without a name",
		`item: {table: T, player: "p[]", each: SK}`:             "p[] is each member of a list",
		`item: {table: T, player: p, each: [SK, "x."]}`:         "without a name",
		`item: {table: T, player: p, each: a, formerly: "b[]"}`: "b[] is each member of a list",
		`count: {plays: 1}, where: {"tags[]": x}`:               "tags[] is each member of a list",
	} {
		if _, err := parseText(declared(rule)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %s", rule, err, want)
		}
	}
	_, err := Parse("test.yaml", []byte("plays: {table: Plays, player: customer.id, at: 'placed\\.at', zone: UTC, earliest: 2000-01-01}\nbadges:\n"+declared("first: {}")), nil, "State")
	if err == nil || !strings.Contains(err.Error(), `plays: player: customer.id leads into attribute customer, and only whole attributes can stand here; name customer, or write customer\.id if that is the attribute's own name`) || strings.Count(err.Error(), "\n") > 0 {
		t.Errorf("a player within an attribute: %v", err)
	}
	b, err := Parse("test.yaml", []byte("plays: {table: Plays, player: 'customer\\.id', at: 'placed\\.at', zone: UTC, earliest: 2000-01-01}\nbadges:\n"+declared("first: {}")), nil, "State")
	if err != nil || b.Plays[0].Player != "customer.id" || b.Plays[0].At != "placed.at" {
		t.Fatalf("%+v, %v", b, err)
	}
	play := consumertest.Item{"customer.id": consumertest.S("p"), "placed.at": consumertest.S("2024-01-15")}
	c, err := change.FromItem("Plays", []string{"customer.id"}, play.AttributeValues(), time.Unix(1e9, 0))
	states := States{}
	if err == nil {
		err = b.Fold(c, states)
	}
	if err != nil || !slices.Equal(keys(b.Rules[0].Earned(states["p"], "")), []string{"a"}) {
		t.Errorf("%v, %v", states, err)
	}
}
