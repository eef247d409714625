package ops

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"sluice/consumers/search/internal/document"
	"sluice/consumers/search/internal/searchtest"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
)

// mappedEverything has fields of each kind that decides what a name may be.
const mappedEverything = `{"settings": {"number_of_shards": 1, "number_of_replicas": 0}, "mappings": {"dynamic": false, "properties": {
	"word": {"type": "keyword", "ignore_above": 8192}, "name": {"type": "text", "fields": {"raw": {"type": "keyword", "ignore_above": 8192}}},
	"outer": {"properties": {"inner": {"type": "keyword"}, "free": {"type": "object", "dynamic": true}, "off": {"type": "object", "enabled": false}}},
	"parts": {"type": "nested", "properties": {"x": {"type": "keyword"}}}, "where": {"type": "geo_point"},
	"day": {"type": "date_nanos", "format": "uuuu-MM-dd HH:mm:ss.SSSSSS||strict_date_optional_time_nanos"}, "n": {"type": "long"}, "d": {"type": "double"}}}}`

// hostileNames are attributes' names that mean something to OpenSearch, to JSON or to
// Sluice, or that are as long as DynamoDB allows.
func hostileNames() []string {
	names := []string{
		".", "..", ".a", "a.", "a..", "a..b", " ", "\t", " .a", "a. .b", "a.\x1c.b", "a.b", "a.b.c", "\x00", "\a", "a\nb", "*", "#", "%", "a%2Eb", `"`, `\`, "{}", "name.", "name.x", "name.raw", "name.raw.x", "word.x",
		"outer.inner", "outer.inner.x", "outer.other", "outer.off.x", "outer.free.x", "parts.x", "where.lat", "day.x", "n.x",
		"_sluice", "_sluice.deleted", "_sluice.time", "_sluice.indexed", "_sluice.x", "_sluice.", "_sluiceItem", "_sluiceItem.x", "_sluiceX", "_", "__proto__", "_x", "_id.x", "_source.x", "_doc_count.x", "_id.",
		strings.Repeat("x", 60_000), strings.Repeat("ü", 30_000), strings.Repeat("a.", 200) + "a", "é", "🦥", "\ufffe", "\ufeff",
	}
	for name := range document.Metadata {
		names = append(names, name)
	}
	return names
}

// newMapped is a target whose index maps everything.
func newMapped(t *testing.T) *reindexed {
	g := newReindexed(t)
	for _, r := range []*document.Route{g.Routes[0], g.Route} {
		r.Index += "-mapped"
		searchtest.Define(r, mappedEverything)
	}
	return g
}

// An attribute's name never costs its document, on top, in an object that is mapped or in
// one that isn't; searches find the document by its other fields, and the comparison
// agrees. Fails for names that go into the document unchecked.
func TestNamesNeverCostTheDocument(t *testing.T) {
	g := newMapped(t)
	s, list := consumertest.S, func(v consumertest.Value) consumertest.Value { return consumertest.Value{"L": []consumertest.Value{v}} }
	var changes []consumertest.Change
	n := 0
	add := func(item consumertest.Item) {
		n++
		item["word"] = s("found")
		changes = append(changes, searchtest.At(0, fmt.Sprint("item ", n), item))
	}
	for i, name := range hostileNames() {
		// A field's own value must suit it, and each kind of value has its turn.
		v := []consumertest.Value{s("true"), s("2200-01-01T00:00:00Z"), list(consumertest.N("1"))}[i%3]
		add(consumertest.Item{name: v})
		add(consumertest.Item{
			"unmapped": {"M": consumertest.Item{name: s("x")}}, "outer": {"M": consumertest.Item{name: s("x"), "inner": s("z")}},
			"parts": list(consumertest.Value{"M": consumertest.Item{name: s("x"), "x": s("y")}}),
		})
	}
	deep := consumertest.S("x")
	for range 30 {
		deep = consumertest.Value{"L": []consumertest.Value{deep}}
	}
	add(consumertest.Item{"unmapped": deep})
	g.happen(changes...)
	g.Clock = g.Clock.Add(time.Minute)
	g.agrees(n)
	var newest struct {
		Hits struct{ Hits []struct{ Sort []int64 } }
	}
	g.Must(http.MethodPost, "/"+g.Route.WriteAlias()+"/_search", `{"size":1,"sort":[{"_sluice.time":{"order":"desc"}}]}`, &newest)
	if got := newest.Hits.Hits[0].Sort[0]; got != consumertest.Arrival.UnixNano() {
		t.Errorf("the newest change is of %v, want %v: an attribute froze it", time.Unix(0, got), consumertest.Arrival)
	}
}

// An attribute that is called as another one is renamed to leaves the field to that one.
func TestRenamedAttributeKeepsItsField(t *testing.T) {
	r := searchtest.RouteOf(`{"mappings": {"dynamic": false, "properties": {"new": {"type": "keyword"}}}}`, "rename: {old: new}")
	for _, test := range []struct {
		item consumertest.Item
		want string
	}{
		{consumertest.Item{"old": consumertest.S("a"), "new": consumertest.S("b")}, `,"new":"a","_sluiceItem":"{\"attributes\":{\"new\":\"b\"}}"}`},
		{consumertest.Item{"new": consumertest.S("b")}, `,"new":"b"}`},
	} {
		c := searchtest.Parsed(searchtest.InsertOf(consumertest.Item{"id": consumertest.S("k")}, test.item))
		got := string(r.AppendDocument(nil, c, consumertest.Arrival))
		if !strings.HasSuffix(got, `"id":"k"`+test.want) {
			t.Errorf("got %s, want it to end with %s", got, test.want)
		}
		var document map[string]any
		if err := json.Unmarshal([]byte(got), &document); err != nil {
			t.Fatal(err)
		}
		if found, _, err := differences(r, c, document); err != nil || len(found) > 0 {
			t.Errorf("differences %+v, %v", found, err)
		}
	}
}

// A document by paths into attributes is as its item, and one that has more or less than they say isn't. Fails if verify reads
// keep, leaveOut or rename by another rule than the function.
func TestPartsOfAttributesAreCompared(t *testing.T) {
	const definition = `{"mappings": {"dynamic": false, "properties": {"town": {"type": "keyword"}}}}`
	item := consumertest.Item{"name": consumertest.S("x"), "address": {"M": consumertest.Item{
		"city": consumertest.S("Berlin"), "geo": {"M": consumertest.Item{"lat": consumertest.N("1.50"), "lon": consumertest.N("2")}},
	}}}
	c := searchtest.Parsed(searchtest.InsertOf(consumertest.Item{"id": consumertest.S("k")}, item))
	written := func(r *document.Route) (of map[string]any) {
		decoder := json.NewDecoder(bytes.NewReader(r.AppendDocument(nil, c, consumertest.Arrival)))
		decoder.UseNumber()
		if err := decoder.Decode(&of); err != nil {
			t.Fatal(err)
		}
		return of
	}
	whole := written(searchtest.RouteOf(definition))
	for lines, want := range map[string]string{
		"keep: [id, address.city]": "address, name", "leaveOut: [address.geo.lat]": "address", "rename: {address.city: town}": "address, address.city",
	} {
		r := searchtest.RouteOf(definition, lines)
		for _, test := range []struct {
			of   map[string]any
			want string
		}{{written(r), ""}, {whole, want}} {
			found, _, err := differences(r, c, test.of)
			var paths []string
			for _, v := range found {
				paths = append(paths, v.Path)
			}
			if got := strings.Join(paths, ", "); err != nil || got != test.want {
				t.Errorf("%s: differences in %q, %v; want %q", lines, got, err, test.want)
			}
		}
	}
}

// Whatever value a field gets, a healthy OpenSearch takes the document or refuses it for
// good; nothing is retried, and the neighbours are applied. Fails if a refusal of one
// document is taken for an outage.
func TestLimitsOfOpenSearch(t *testing.T) {
	g := searchtest.NewTarget(t, servertest.OpenSearch(t), nil)
	searchtest.Define(g.Routes[0], mappedEverything)
	s, n := consumertest.S, consumertest.N
	long := strings.Repeat("9", 100_000)
	values := []consumertest.Value{
		s(""), s("x"), s(strings.Repeat("w", 32_766)), s(strings.Repeat("w", 32_767)), s(strings.Repeat("ü", 8192)), s(strings.Repeat("🦥", 8193)), s(strings.Repeat("two words ", 30_000)), s("NaN"), s("1e400"), s("0x1p3"), s(long), s("1e999999999"), s("-0"), s("true"),
		n("9223372036854775807"), n("9223372036854775808"), n("-9223372036854775809"), n("1.5"), n("1E+125"), n("-9.9999999999999999999999999999999999999E+125"), n("1E-130"), n("12345678901234567890123456789012345678"),
		s("1969-12-31T23:59:59Z"), s("2262-04-11T23:47:16.854775808Z"), s("9999-12-31"), s("0000-01-01"), s("2026-02-30"), s("2026-11-30T24:00:00Z"), s("2016-12-31T23:59:60Z"), s("2026-11-30T08:00:00+23:59"),
		consumertest.B([]byte{0, 0xff}), {"BOOL": true}, {"NULL": true}, {"SS": []string{"a", "b"}}, {"NS": []string{"1", "2.5"}},
		{"L": []consumertest.Value{}}, {"L": []consumertest.Value{{"NULL": true}, s("a"), {"L": []consumertest.Value{n("1")}}}}, {"M": consumertest.Item{}},
		{"M": consumertest.Item{"lat": n("100"), "lon": n("1")}}, {"M": consumertest.Item{"lat": s("a"), "lon": consumertest.Value{"M": consumertest.Item{}}}}, {"M": consumertest.Item{"x": consumertest.Value{"M": consumertest.Item{"x": n("1")}}, "inner": {"M": consumertest.Item{"": n("1")}}}},
		{"L": []consumertest.Value{s("x"), {"M": consumertest.Item{"inner": s("y")}}}},
	}
	deep := s("x")
	for range 30 {
		deep = consumertest.Value{"L": []consumertest.Value{deep}}
	}
	values = append(values, deep)
	deepObject := s("x")
	for range 29 {
		deepObject = consumertest.Value{"M": consumertest.Item{"free": deepObject}}
	}
	values = append(values, deepObject)
	many := consumertest.Item{}
	for i := range 1001 {
		many[fmt.Sprint("f", i)] = n("1")
	}
	values = append(values, consumertest.Value{"M": consumertest.Item{"free": {"M": many}}})
	var changes []consumertest.Change
	for _, field := range []string{"word", "name", "outer", "parts", "where", "day", "n", "d", "unmapped"} {
		for i, v := range values {
			changes = append(changes, searchtest.At(0, fmt.Sprintf("%s %d", field, i), consumertest.Item{field: v}), searchtest.At(0, fmt.Sprintf("beside %s %d", field, i), searchtest.Text("x")))
		}
	}
	for i, err := range g.ApplyBatch(t.Context(), searchtest.ParsedAll(changes)) {
		switch outcome := consumer.OutcomeOf(err); {
		case outcome == consumer.Applied:
		case outcome == consumer.Rejected && i%2 == 0 && !strings.HasPrefix(changes[i].Keys["id"].Text(), "unmapped"):
			reason := strings.Contains(err.Error(), ": 400 ") || strings.Contains(err.Error(), "date field day") && strings.Contains(err.Error(), "is no timestamp")
			if !strings.Contains(err.Error(), "index "+searchtest.Lane(g.Cfg)) || !reason {
				t.Errorf("%s: %v; want the index and the reason, OpenSearch's or that it is no timestamp", changes[i].Keys["id"].Text(), err)
			}
		default:
			t.Errorf("%.100s is %v: %v", changes[i].Keys["id"].Text(), outcome, err)
		}
	}
}
