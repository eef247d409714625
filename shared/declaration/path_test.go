package declaration

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"sluice/shared/change"
)

// Each text with its names; [] stands behind that of a list. Fails if a name that holds a dot, a bracket or a backslash
// can't be written, or if a text that means nothing is taken.
func TestParsePath(t *testing.T) {
	for text, want := range map[string]string{
		"a": "a", "address.city": "address,city", "a.b.c": "a,b,c", "lines[]": "lines[]", "lines[].qty": "lines[],qty", "a.b[].c.d[].e": "a,b[],c,d[],e",
		`address\.city`: "address.city", `a\.b.c`: "a.b,c", `a\[0]`: "a[0]", `a\[][].b`: "a[][],b", `a\b`: `a\b`, `a\\b`: `a\b`, `a\\.b`: `a\,b`, `a\`: `a\`, `\\\.`: `\.`,
		"a b#c/d-e:f]": "a b#c/d-e:f]", "ünï.🦦": "ünï,🦦",
	} {
		p, err := ParsePath(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var got []string
		for _, s := range p.steps {
			got = append(got, s.name+map[bool]string{true: "[]"}[s.each])
		}
		if strings.Join(got, ",") != want {
			t.Errorf("%s is %q, want %s", text, got, want)
		}
		if again, err := ParsePath(p.String()); err != nil || !slices.Equal(again.steps, p.steps) || again.text != p.text {
			t.Errorf("%s is written %s, which is %v, %v", text, p, again.steps, err)
		}
	}
	for text, want := range map[string]string{
		"": "without a name", ".a": "without a name", "a.": "without a name", "a..b": "without a name", "[]": "without a name", "a[].": "without a name", ".": "without a name",
		"a[0]": "by its place", "a[0].b": "by its place", "a[": "by its place", "a[*]": "by its place", "a[]b": "a dot or nothing", "a[][]": "lists in lists",
	} {
		if p, err := ParsePath(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is %v, %v; want %s", text, p.steps, err, want)
		}
	}
}

// Any name at all has a path to the attribute of that name. Fails if escapes are ambiguous.
func TestWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringOfN(rapid.RuneFrom([]rune(`ab.[]\`)), 1, 8, -1).Draw(t, "name")
		p, err := ParsePath(Whole(name).String())
		if got, whole := p.Name(); err != nil || got != name || !whole {
			t.Errorf("%q is written %s, which names %q, %v", name, Whole(name), got, err)
		}
		if !strings.ContainsAny(name, `.[\`) && Whole(name).String() != name {
			t.Errorf("%q is written %s", name, Whole(name))
		}
	})
}

func s(text string) types.AttributeValue { return &types.AttributeValueMemberS{Value: text} }
func n(text string) types.AttributeValue { return &types.AttributeValueMemberN{Value: text} }
func l(members ...types.AttributeValue) types.AttributeValue {
	return &types.AttributeValueMemberL{Value: members}
}
func m(members map[string]types.AttributeValue) types.AttributeValue {
	return &types.AttributeValueMemberM{Value: members}
}

var null = &types.AttributeValueMemberNULL{Value: true}

// at parses a path that a test is sure of.
func at(text string) Path {
	p, err := ParsePath(text)
	if err != nil {
		panic(err)
	}
	return p
}

func imageOf(t interface{ Fatal(...any) }, item map[string]types.AttributeValue) *change.Change {
	item["id"] = s("x")
	c, err := change.FromItem("T", []string{"id"}, item, anyTime)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// What a path finds in each kind of item: a value, nothing, or a step of another type. Fails if an attribute whose own
// name has the dot is taken for a member, or the other way round, and if either depends on what else the item has.
func TestPathsInItems(t *testing.T) {
	type item = map[string]types.AttributeValue
	berlin := m(item{"city": s("Berlin"), "geo": m(item{"lat": n("52.5")}), "no.dot": s("inner")})
	for _, test := range []struct {
		path string
		item item
		want string // of Typed; "absent", or "no map" with the step's type
	}{
		{"address", item{"address": s("here")}, "S here"},
		{"address.city", item{"address": berlin}, "S Berlin"},
		{"address.geo.lat", item{"address": berlin}, "N 52.5"},
		{"address.geo", item{"address": berlin}, "M "},
		{`address.no\.dot`, item{"address": berlin}, "S inner"},
		{"address.no.dot", item{"address": berlin}, "absent"},
		{"address.street", item{"address": berlin}, "absent"},
		{"address.city", item{}, "absent"},
		{"address.city", item{"address": null}, "absent"},
		{"address.city", item{"address": m(item{"city": null})}, "NULL "},
		{"address.city", item{"address": m(item{})}, "absent"},
		{"address.city", item{"address": s("Berlin")}, "no map: S"},
		{"address.city", item{"address": n("1")}, "no map: N"},
		{"address.city", item{"address": l(berlin)}, "no map: L"},
		{"address.city.name", item{"address": berlin}, "no map: S"},
		{"id.x", item{}, "no map: S"},
		// An attribute with a dot in its own name, alone and beside the map.
		{"address.city", item{"address.city": s("dot")}, "absent"},
		{`address\.city`, item{"address.city": s("dot")}, "S dot"},
		{"address.city", item{"address.city": s("dot"), "address": berlin}, "S Berlin"},
		{`address\.city`, item{"address.city": s("dot"), "address": berlin}, "S dot"},
		{`address\.city`, item{"address": berlin}, "absent"},
	} {
		c := imageOf(t, test.item)
		v, err := at(test.path).Of(c.Keys, c.New)
		typ, text := Typed(v)
		got := fmt.Sprintf("%v %s", typ, text)
		if wrong, ok := errors.AsType[*change.AttributeError](err); ok {
			got = fmt.Sprintf("no map: %v", wrong.Got)
		} else if typ == 0 {
			got = "absent"
		}
		if got != test.want {
			t.Errorf("%s of %v is %s, %v; want %s", test.path, test.item, got, err, test.want)
		}
		// Items of the SDK's values are read by the same rule.
		wantType, wantText := TypedOf(v.AttributeValue())
		if gotType, gotText := TypedOf(at(test.path).OfItem(test.item)); gotType != wantType || gotText != wantText {
			t.Errorf("%s of the SDK's item is %v %s, want %v %s", test.path, gotType, gotText, wantType, wantText)
		}
	}
}

// What [] finds, and the error with the member's place.
func TestMembersOfLists(t *testing.T) {
	type item = map[string]types.AttributeValue
	line := func(qty types.AttributeValue) types.AttributeValue { return m(item{"qty": qty}) }
	for _, test := range []struct {
		path string
		item item
		want string // the values, or the error
	}{
		{"lines[].qty", item{"lines": l(line(n("2")), line(n("3")))}, "2 3"},
		{"lines[]", item{"lines": l(n("2"), s("x"))}, "2 x"},
		{"lines[].qty", item{"lines": l()}, ""},
		{"order.lines[].qty", item{"order": m(item{"lines": l(line(n("2")))})}, "2"},
		{"orders[].lines[].qty", item{"orders": l(m(item{"lines": l(line(n("1")), line(n("2")))}), m(item{"lines": l()}), m(item{"lines": l(line(n("3")))}))}, "1 2 3"},
		{"lines[].qty", item{}, `attribute "lines" is missing, want type L`},
		{"lines[].qty", item{"lines": null}, `attribute "lines" has type NULL, want L`},
		{"lines[].qty", item{"lines": s("x")}, `attribute "lines" has type S, want L`},
		{"lines[].qty", item{"lines": m(item{"qty": n("1")})}, `attribute "lines" has type M, want L`},
		{"lines[]", item{"lines": &types.AttributeValueMemberNS{Value: []string{"1"}}}, `attribute "lines" has type NS, want L`},
		{"lines[].qty", item{"lines": l(line(n("1")), n("2"))}, `member 2 of the list lines: attribute "lines[]" has type N, want M`},
		{"lines[].qty", item{"lines": l(m(item{}))}, `absent`},
		{"lines[].qty", item{"lines": l(null)}, `absent`},
		{"orders[].lines[].qty", item{"orders": l(m(item{}))}, `member 1 of the list orders: attribute "orders[].lines" is missing, want type L`},
		{`a\.lines[]`, item{"a.lines": l(n("1")), "a": m(item{"lines": l(n("2"))})}, "1"},
	} {
		c := imageOf(t, test.item)
		var found []string
		err := at(test.path).Each(c.Keys, c.New, func(v change.Value) error {
			text := v.Text()
			if v.Type() == 0 {
				text = "absent"
			}
			found = append(found, text)
			return nil
		})
		got := strings.Join(found, " ")
		if err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s of %v is %s, want %s", test.path, test.item, got, test.want)
		}
	}
}

// Conditions over paths, of items and of images alike. A step of another type never meets a condition.
func TestConditionsOfPaths(t *testing.T) {
	type item = map[string]types.AttributeValue
	items := map[string]item{
		"member": {"address": m(item{"city": s("Berlin")})}, "dot": {"address.city": s("Berlin")}, "text": {"address": s("Berlin")}, "list": {"address": l(m(item{"city": s("Berlin")}))},
		"NULL": {"address": null}, "absent": {}, "number": {"address": m(item{"city": n("9")})}, "both": {"address": m(item{"city": s("Rome")}), "address.city": s("Berlin")},
	}
	for written, holds := range map[string]string{
		"address.city: Berlin": "member", `address\.city: Berlin`: "dot, both", "address.city: {exists: true}": "member, number, both", "address.city: 9": "number", "address.city: {prefix: R}": "both",
	} {
		r := NewReader("f.yaml", nil)
		root, _ := r.Parse([]byte(written + "\n"))
		conditions := r.Conditions(root, "where")
		if err := r.Err(); err != nil {
			t.Fatal(err)
		}
		for name, i := range items {
			want := strings.Contains(", "+holds+",", ", "+name+",")
			c := imageOf(t, i)
			if inItem, inImage := AllHold(conditions, i), AllHoldIn(conditions, c.Keys, c.New); inItem != want || inImage != want {
				t.Errorf("%s for %s: %v in the item, %v in the image", written, name, inItem, inImage)
			}
		}
	}
	for written, want := range map[string]string{
		"lines[].sku: x": "only a view's sum or count can take", "lines[0]: x": "by its place", "a..b: x": "without a name",
	} {
		r := NewReader("f.yaml", nil)
		root, _ := r.Parse([]byte(written + "\n"))
		if r.Conditions(root, "where"); r.Err() == nil || !strings.Contains(r.Err().Error(), want) {
			t.Errorf("%s: %v; want %s", written, r.Err(), want)
		}
	}
}
