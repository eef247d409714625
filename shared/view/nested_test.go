package view

import (
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/declaration"
)

type (
	testItem = consumertest.Item
	testList = []consumertest.Value
)

func asMap(members testItem) consumertest.Value { return consumertest.Value{"M": members} }
func asList(members ...consumertest.Value) consumertest.Value {
	return consumertest.Value{"L": append(testList{}, members...)}
}

var asNull = consumertest.Value{"NULL": true}

// cities has all that a view can keep of values within attributes.
const cities = `views:
  - name: cities
    from: {table: Orders, where: {order.state: paid}}
    into: {table: Cities, key: {City: "CITY#{address.city}", Day: "{box}"}}
    box: {of: order.placed, unit: day, zone: UTC}
    count: {Orders: {}, Lines: "lines[]", Gifts: {order.gift: true}}
    sum:
      Total: order.total
      Quantity: lines[].qty
      Big: {of: order.total, where: {order.total: {atLeast: 100}}}
      Dotted: extra\.fee
    latest: {Last: order}
`

// orderOf is an order that the view takes, with other attributes in the place of some.
func orderOf(other testItem) testItem {
	order := testItem{
		"address": asMap(testItem{"city": consumertest.S("Berlin")}), "extra.fee": consumertest.N("1"),
		"order": asMap(testItem{"state": consumertest.S("paid"), "total": consumertest.N("12.50"), "placed": consumertest.S("2024-01-15T10:00:00Z")}),
		"lines": asList(lineOf("2"), lineOf("0.5")),
	}
	maps.Copy(order, other)
	maps.DeleteFunc(order, func(_ string, v consumertest.Value) bool { return v == nil })
	return order
}

func lineOf(qty string) consumertest.Value {
	return asMap(testItem{"sku": consumertest.S("x"), "qty": consumertest.N(qty)})
}

// orderWith is an order whose map order has other members in the place of some.
func orderWith(members testItem) testItem {
	inner := maps.Clone(orderOf(nil)["order"]["M"].(testItem))
	maps.Copy(inner, members)
	maps.DeleteFunc(inner, func(_ string, v consumertest.Value) bool { return v == nil })
	return orderOf(testItem{"order": asMap(inner)})
}

func orderChange(t interface{ Fatal(...any) }, id string, old, after testItem) *change.Change {
	c, err := change.Parse(consumertest.Change{Table: "Orders", Time: noon, Keys: testItem{"Id": consumertest.S(id)}, Old: old, New: after}.Record())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// keyed names the item of a view that a contribution is for.
func keyed(p Contribution) string {
	var key []string
	for _, name := range slices.Sorted(maps.Keys(p.Target.Key)) {
		_, text := declaration.TypedOf(p.Target.Key[name])
		key = append(key, text)
	}
	return strings.Join(key, " ")
}

// Every kind of value at each place where a path leads: what the change adds, or that it is skipped or a dead letter.
func TestNestedContributions(t *testing.T) {
	views, err := Parse("views.yaml", []byte(cities), nil)
	if err != nil {
		t.Fatal(err)
	}
	const all = "CITY#Berlin 2024-01-15 Big=0 Dotted=1 Lines=2 Orders=1 Quantity=2.5 Total=12.5"
	usual := strings.Replace(all, " Big=0", "", 1)
	replaced := func(pairs ...string) []string { return []string{strings.NewReplacer(pairs...).Replace(usual)} }
	for name, test := range map[string]struct {
		old, new testItem
		want     []string
		outcome  consumer.Outcome
	}{
		"all there":          {nil, orderOf(nil), []string{usual}, consumer.Applied},
		"removed":            {orderOf(nil), nil, []string{"CITY#Berlin 2024-01-15 Dotted=-1 Lines=-2 Orders=-1 Quantity=-2.5 Total=-12.5"}, consumer.Applied},
		"another total":      {orderOf(nil), orderWith(testItem{"total": consumertest.N("12.51")}), []string{"CITY#Berlin 2024-01-15 Dotted=0 Lines=0 Orders=0 Quantity=0 Total=0.01"}, consumer.Applied},
		"another city":       {orderOf(nil), orderOf(testItem{"address": asMap(testItem{"city": consumertest.S("Rome")})}), []string{strings.Replace(usual, "Berlin", "Rome", 1), "CITY#Berlin 2024-01-15 Dotted=-1 Lines=-2 Orders=-1 Quantity=-2.5 Total=-12.5"}, consumer.Applied},
		"other lines":        {orderOf(nil), orderOf(testItem{"lines": asList(lineOf("3"))}), []string{"CITY#Berlin 2024-01-15 Dotted=0 Lines=-1 Orders=0 Quantity=0.5 Total=0"}, consumer.Applied},
		"a condition within": {nil, orderWith(testItem{"total": consumertest.N("100")}), replaced("Dotted", "Big=100 Dotted", "12.5", "100"), consumer.Applied},
		"a boolean within":   {nil, orderWith(testItem{"gift": consumertest.Value{"BOOL": true}}), replaced("Lines", "Gifts=1 Lines"), consumer.Applied},
		"another state":      {nil, orderWith(testItem{"state": consumertest.S("open")}), nil, consumer.Skip},
		"ceases to be paid":  {orderOf(nil), orderWith(testItem{"state": consumertest.S("open")}), []string{"CITY#Berlin 2024-01-15 Dotted=-1 Lines=-2 Orders=-1 Quantity=-2.5 Total=-12.5"}, consumer.Applied},

		// What a condition doesn't reach never meets it.
		"no map for a condition": {nil, orderOf(testItem{"order": consumertest.S("paid")}), nil, consumer.Skip},
		"NULL for a condition":   {nil, orderOf(testItem{"order": asNull}), nil, consumer.Skip},
		"none for a condition":   {nil, orderOf(testItem{"order": nil}), nil, consumer.Skip},
		// An attribute whose own name has the dot is no member.
		"a dot in a name":                   {nil, orderOf(testItem{"order": nil, "order.state": consumertest.S("paid"), "order.total": consumertest.N("5")}), nil, consumer.Skip},
		"a member where the name has a dot": {nil, orderOf(testItem{"extra.fee": nil, "extra": asMap(testItem{"fee": consumertest.N("7")})}), nil, consumer.Rejected},
		"both":                              {nil, orderOf(testItem{"extra": asMap(testItem{"fee": consumertest.N("7")})}), []string{usual}, consumer.Applied},

		// A key or a number must be there.
		"no city":             {nil, orderOf(testItem{"address": asMap(testItem{})}), nil, consumer.Rejected},
		"no address":          {nil, orderOf(testItem{"address": nil}), nil, consumer.Rejected},
		"NULL address":        {nil, orderOf(testItem{"address": asNull}), nil, consumer.Rejected},
		"address is a text":   {nil, orderOf(testItem{"address": consumertest.S("Berlin")}), nil, consumer.Rejected},
		"address is a list":   {nil, orderOf(testItem{"address": asList(asMap(testItem{"city": consumertest.S("Berlin")}))}), nil, consumer.Rejected},
		"city is a map":       {nil, orderOf(testItem{"address": asMap(testItem{"city": asMap(testItem{})})}), nil, consumer.Rejected},
		"a number as text":    {nil, orderWith(testItem{"total": consumertest.S("12.50")}), nil, consumer.Rejected},
		"a total of NULL":     {nil, orderWith(testItem{"total": asNull}), nil, consumer.Rejected},
		"no total":            {nil, orderWith(testItem{"total": nil}), nil, consumer.Rejected},
		"a date that is none": {nil, orderWith(testItem{"placed": consumertest.S("soon")}), nil, consumer.Rejected},
		"spoilt":              {orderOf(nil), orderWith(testItem{"total": nil}), []string{"CITY#Berlin 2024-01-15 Dotted=-1 Lines=-2 Orders=-1 Quantity=-2.5 Total=-12.5"}, consumer.Rejected},
		"corrected":           {orderWith(testItem{"total": nil}), orderOf(nil), []string{usual}, consumer.Applied},
		"never counted":       {orderWith(testItem{"total": nil}), nil, nil, consumer.Skip},

		// Lists.
		"an empty list":          {nil, orderOf(testItem{"lines": asList()}), replaced("Lines=2", "Lines=0", "Quantity=2.5", "Quantity=0"), consumer.Applied},
		"emptied":                {orderOf(nil), orderOf(testItem{"lines": asList()}), []string{"CITY#Berlin 2024-01-15 Dotted=0 Lines=-2 Orders=0 Quantity=-2.5 Total=0"}, consumer.Applied},
		"no list":                {nil, orderOf(testItem{"lines": nil}), nil, consumer.Rejected},
		"a NULL list":            {nil, orderOf(testItem{"lines": asNull}), nil, consumer.Rejected},
		"a map for a list":       {nil, orderOf(testItem{"lines": lineOf("1")}), nil, consumer.Rejected},
		"a set for a list":       {nil, orderOf(testItem{"lines": consumertest.Value{"NS": []string{"1"}}}), nil, consumer.Rejected},
		"a member without it":    {nil, orderOf(testItem{"lines": asList(lineOf("1"), asMap(testItem{"sku": consumertest.S("x")}))}), nil, consumer.Rejected},
		"a member's text":        {nil, orderOf(testItem{"lines": asList(asMap(testItem{"qty": consumertest.S("1")}))}), nil, consumer.Rejected},
		"a member that is none":  {nil, orderOf(testItem{"lines": asList(consumertest.N("1"))}), nil, consumer.Rejected},
		"a member of NULL":       {nil, orderOf(testItem{"lines": asList(asNull)}), nil, consumer.Rejected},
		"the list spoilt":        {orderOf(nil), orderOf(testItem{"lines": asList(asNull)}), []string{"CITY#Berlin 2024-01-15 Dotted=-1 Lines=-2 Orders=-1 Quantity=-2.5 Total=-12.5"}, consumer.Rejected},
		"38 digits in each line": {nil, orderOf(testItem{"lines": asList(lineOf("0.1234567890123456789012345678901234567"), lineOf("0.0000000000000000000000000000000000001"))}), replaced("Quantity=2.5", "Quantity=0.1234567890123456789012345678901234568"), consumer.Applied},
	} {
		t.Run(name, func(t *testing.T) {
			c := orderChange(t, "o", test.old, test.new)
			parts, err := views[0].Contributions(c, horizon)
			var got []string
			for _, p := range parts {
				text := keyed(p)
				for _, sum := range slices.Sorted(maps.Keys(p.Amount.Add)) {
					text += fmt.Sprintf(" %s=%s", sum, p.Amount.Add[sum])
				}
				got = append(got, text)
			}
			if diff := cmp.Diff(test.want, got); diff != "" || consumer.OutcomeOf(err) != test.outcome {
				t.Errorf("%v, want %v (-want +got):\n%s", err, test.outcome, diff)
			}
			// A rebuild counts what stands after the change by the same code.
			if test.new == nil || test.outcome == consumer.Skip || name == "ceases to be paid" {
				return
			}
			standing, err := views[0].Standing(c, horizon)
			inserted, insertErr := views[0].Contributions(orderChange(t, "o", nil, test.new), horizon)
			if (err == nil) != (insertErr == nil) {
				t.Fatalf("a rebuild says %v, an insert %v", err, insertErr)
			}
			if err == nil && fmt.Sprint(standing.Sums) != fmt.Sprint(inserted[0].Amount.Add) {
				t.Errorf("a rebuild counts %v, an insert adds %v", standing.Sums, inserted[0].Amount.Add)
			}
		})
	}
}

// The dead letter of an item that has an attribute called as the path is written says how to name it.
func TestErrorNamesTheAttributeWithADot(t *testing.T) {
	views, err := Parse("views.yaml", []byte("views: [{name: v, from: {table: Orders}, into: {table: U, key: {PK: all}}, sum: {n: order.total}}]\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	const hint = `whose own name that is, which a declaration writes order\.total`
	for _, test := range []struct {
		item testItem
		hint bool
	}{{testItem{"order.total": consumertest.N("1")}, true}, {testItem{"total": consumertest.N("1")}, false}} {
		_, err := views[0].Contributions(orderChange(t, "o", nil, test.item), horizon)
		if consumer.OutcomeOf(err) != consumer.Rejected || !errors.Is(err, change.ErrMissing) || strings.Contains(err.Error(), hint) != test.hint {
			t.Errorf("%v: %v", test.item, err)
		}
	}
}

// counted is what an order ought to count for, found in another way than by paths: ok is false if the view can't use it.
func counted(order testItem) (city string, sums map[string]*big.Rat, ok bool) {
	number := func(v consumertest.Value) *big.Rat {
		text, ok := v["N"].(string)
		if !ok {
			return nil
		}
		n, _ := new(big.Rat).SetString(text)
		return n
	}
	address, _ := order["address"]["M"].(testItem)
	city, ok = address["city"]["S"].(string)
	inner, _ := order["order"]["M"].(testItem)
	total := number(inner["total"])
	if !ok || total == nil {
		return "", nil, false
	}
	lines, ok := order["lines"]["L"].(testList)
	quantity := new(big.Rat)
	for _, line := range lines {
		members, _ := line["M"].(testItem)
		qty := number(members["qty"])
		if qty == nil {
			return "", nil, false
		}
		quantity.Add(quantity, qty)
	}
	return city, map[string]*big.Rat{"Orders": big.NewRat(1, 1), "Total": total, "Quantity": quantity, "Lines": big.NewRat(int64(len(lines)), 1)}, ok
}

// Random orders, put, changed and removed: what the changes add is, at every moment, what the orders that stand count
// for. Fails if a change's two images are read by different rules, or if a list's old members aren't all taken away.
func TestNestedSumsAreThoseOfTheTable(t *testing.T) {
	views, err := Parse("views.yaml", []byte(`views:
  - name: cities
    from: {table: Orders}
    into: {table: Cities, key: {City: "{address.city}"}}
    count: {Orders: {}, Lines: "lines[]"}
    sum: {Total: order.total, Quantity: "lines[].qty"}
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	number := rapid.Custom(func(t *rapid.T) consumertest.Value {
		return consumertest.N(fmt.Sprintf("%de%d", rapid.IntRange(-999, 999).Draw(t, "digits"), rapid.IntRange(-9, 9).Draw(t, "exponent")))
	})
	odd := rapid.SampledFrom([]consumertest.Value{nil, asNull, consumertest.S("7"), consumertest.S(""), asMap(testItem{}), asList(), {"BOOL": true}, {"SS": []string{"a"}}})
	usually := func(usual *rapid.Generator[consumertest.Value]) *rapid.Generator[consumertest.Value] {
		return rapid.Custom(func(t *rapid.T) consumertest.Value {
			if rapid.IntRange(0, 9).Draw(t, "odd") == 0 {
				return odd.Draw(t, "value")
			}
			return usual.Draw(t, "value")
		})
	}
	within := func(name string, of *rapid.Generator[consumertest.Value]) *rapid.Generator[consumertest.Value] {
		return rapid.Custom(func(t *rapid.T) consumertest.Value {
			members := testItem{"other": asNull}
			if v := of.Draw(t, name); v != nil {
				members[name] = v
			}
			return asMap(members)
		})
	}
	city := rapid.Map(rapid.SampledFrom([]string{"Berlin", "Rome"}), consumertest.S)
	lines := rapid.Map(rapid.SliceOfN(usually(within("qty", usually(number))), 0, 4), func(lines []consumertest.Value) consumertest.Value {
		return asList(slices.DeleteFunc(lines, func(v consumertest.Value) bool { return v == nil })...)
	})
	order := rapid.Custom(func(t *rapid.T) testItem {
		made := testItem{"address.city": consumertest.S("Paris")}
		for name, value := range map[string]*rapid.Generator[consumertest.Value]{"address": within("city", usually(city)), "order": within("total", usually(number)), "lines": lines} {
			if v := usually(value).Draw(t, name); v != nil {
				made[name] = v
			}
		}
		return made
	})
	used := 0
	rapid.Check(t, func(t *rapid.T) {
		table, sums := map[string]testItem{}, map[string]decimal.Decimal{}
		for range rapid.IntRange(1, 20).Draw(t, "changes") {
			id := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "id")
			old, after := table[id], testItem(nil)
			if old == nil || rapid.IntRange(0, 3).Draw(t, "removed") > 0 {
				after = order.Draw(t, "order")
			}
			table[id] = after
			parts, err := views[0].Contributions(orderChange(t, id, old, after), horizon)
			if outcome := consumer.OutcomeOf(err); outcome == consumer.Skip {
				parts = nil
			} else if outcome == consumer.Rejected == (err == nil) {
				t.Fatal(err)
			}
			for _, p := range parts {
				for name, n := range p.Amount.Add {
					sums[keyed(p)+" "+name] = sums[keyed(p)+" "+name].Add(n)
				}
			}
			want := map[string]*big.Rat{}
			for _, standing := range table {
				city, all, ok := counted(standing)
				if !ok || city == "" {
					continue
				}
				used++
				for name, n := range all {
					of := city + " " + name
					if want[of] == nil {
						want[of] = new(big.Rat)
					}
					want[of].Add(want[of], n)
				}
			}
			for of, sum := range sums {
				if want[of] == nil {
					want[of] = new(big.Rat)
				}
				if sum.Rat().Cmp(want[of]) != 0 {
					t.Fatalf("%s is %s, want %s", of, sum, want[of])
				}
				delete(want, of)
			}
			if len(want) > 0 {
				t.Fatalf("nothing was added for %v", want)
			}
		}
	})
	if used < 20 {
		t.Errorf("only %d orders counted", used)
	}
}

// A view whose latest value is a map could write what another's path leads to, and one that keeps nothing but numbers
// can't. Names with a dot are judged as names. Fails if such a view could feed itself unseen, or is refused for nothing.
func TestNestedFeedback(t *testing.T) {
	for text, refused := range map[string]bool{
		`from: {table: T, where: {last.kind: x}}, into: {table: T, key: {PK: "{PK}"}}, latest: {last: inner}`:     true,
		`from: {table: T, where: {last.kind: x}}, into: {table: T, key: {PK: "{PK}"}}, latest: {other: inner}`:    false,
		`from: {table: T, where: {last.n: 1}}, into: {table: T, key: {PK: "{PK}"}}, latest: {last: inner}`:        true,
		`from: {table: T, where: {PK.kind: x}}, into: {table: T, key: {PK: "{PK}"}}, count: n`:                    false,
		`from: {table: T, where: {'last\.kind': x}}, into: {table: T, key: {PK: "{PK}"}}, latest: {last: inner}`:  false,
		`from: {table: T, where: {'last\.kind': x}}, into: {table: T, key: {PK: "{PK}"}}, latest: {last.kind: k}`: true,
		`from: {table: T, where: {'a\.n': 1}}, into: {table: T, key: {PK: "{PK}"}}, sum: {a.n: n}`:                true,
		`from: {table: T, where: {a.n: 1}}, into: {table: T, key: {PK: "{PK}"}}, sum: {a.n: n}`:                   false,
	} {
		_, err := Parse("views.yaml", []byte("views: [{name: v, "+text+"}]\n"), nil)
		if (err != nil) != refused || err != nil && !strings.Contains(err.Error(), "feeds itself") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
