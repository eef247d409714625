package document_test

import (
	"strings"
	"testing"

	"sluice/consumers/search/internal/searchtest"
	"sluice/shared/consumertest"
)

// What keep, leaveOut and rename make of values within attributes, of every kind that may stand where a path leads. Fails
// if what is left out gets into the document by any way, or if a path is taken for an attribute with dots in its name.
func TestShapes(t *testing.T) {
	type item = consumertest.Item
	s, n := consumertest.S, consumertest.N
	m := func(members item) consumertest.Value { return consumertest.Value{"M": members} }
	l := func(members ...consumertest.Value) consumertest.Value { return consumertest.Value{"L": members} }
	address := m(item{"city": s("Berlin")})
	full := m(item{"city": s("Berlin"), "geo": m(item{"lat": n("1.50"), "lon": n("2")})})
	const open = `{"mappings": {"dynamic": false, "properties": {"town": {"type": "keyword"}, "at": {"type": "object"}}}}`
	for _, test := range []struct {
		lines string // of the route
		item  item
		want  string // of the document, behind the key
	}{
		{"keep: [id, address.city]", item{"address": full, "name": s("x")}, `"address":{"city":"Berlin"}`},
		{"keep: [id, address.geo.lat]", item{"address": full}, `"address":{"geo":{"lat":1.50}}`},
		{"keep: [id, address.city]", item{"address": m(item{"geo": n("1")})}, ``},
		{"keep: [id, address.city]", item{"address": s("Berlin")}, ``},
		{"keep: [id, address.city]", item{"address": l(address)}, ``},
		{"keep: [id, address.city]", item{"address": consumertest.Value{"NULL": true}}, ``},
		{"keep: [id, address.city]", item{"address.city": s("Berlin")}, ``},
		{`keep: [id, 'address\.city']`, item{"address.city": s("Berlin")}, `"address.city":"Berlin"`},
		{`keep: [id, 'address\.city']`, item{"address": full}, ``},

		{"leaveOut: [address.city]", item{"address": address}, `"address":{}`},
		{"leaveOut: [address.geo.lat]", item{"address": full}, `"address":{"city":"Berlin","geo":{"lon":2}}`},
		{"leaveOut: [address.geo, address.city]", item{"address": full, "b": n("1")}, `"address":{},"b":1`},
		{"leaveOut: [address.city]", item{"address": s("Berlin")}, `"address":"Berlin"`},
		{"leaveOut: [address.city]", item{}, ``},
		// In the index both are one field, so nothing that looks left out is there.
		{"leaveOut: [address.city]", item{"address.city": s("Berlin")}, ``},
		{`leaveOut: ['address\.city']`, item{"address.city": s("Berlin"), "address": address}, `"address":{"city":"Berlin"}`},
		// A member that the index can't take keeps the item's own value aside, and what is left out isn't in that either.
		{"leaveOut: [at.secret]", item{"at": m(item{"": n("1"), "secret": s("x")})}, `"at":{},"_sluiceItem":"{\"values\":{\"at\":{\"\":1}}}"`},

		{"rename: {address.city: town}", item{"address": full}, `"address":{"geo":{"lat":1.50,"lon":2}},"town":"Berlin"`},
		{"rename: {address.city: town}", item{"address": address}, `"address":{},"town":"Berlin"`},
		{"rename: {address.city: town}", item{"address": s("Berlin")}, `"address":"Berlin"`},
		{"rename: {address.city: town}", item{"address.city": s("Rome")}, `"address.city":"Rome"`},
		{`rename: {'address\.city': town}`, item{"address.city": s("Rome")}, `"town":"Rome"`},
		{"rename: {address.city: town}", item{"address": address, "town": s("own")}, `"address":{},"town":"Berlin","_sluiceItem":"{\"attributes\":{\"town\":\"own\"}}"`},
		{"rename: {address.city: town}", item{"town": s("own")}, `"town":"own"`},
		{"keep: [id, address.city]\n    rename: {address.city: town}", item{"address": full}, `"town":"Berlin"`},
		{"leaveOut: [address.geo.lat]\n    rename: {address.geo: at}", item{"address": full}, `"address":{"city":"Berlin"},"at":{"lon":2}`},
	} {
		r := searchtest.RouteOf(open, strings.Split(test.lines, "\n    ")...)
		c := searchtest.Parsed(searchtest.InsertOf(item{"id": s("k")}, test.item))
		got := string(r.AppendDocument(nil, c, consumertest.Arrival))
		_, got, _ = strings.Cut(got, `"id":"k"`)
		got = strings.TrimPrefix(strings.TrimSuffix(got, "}"), ",")
		if got != test.want {
			t.Errorf("%s of %v:\ngot  %s\nwant %s", test.lines, test.item, got, test.want)
		}
	}
}

// A date within an attribute that becomes a field of its own is checked as any other.
func TestDateThatMoves(t *testing.T) {
	r := searchtest.RouteOf(`{"mappings": {"properties": {"day": {"type": "date"}}}}`, "rename: {order.placed: day}")
	for text, want := range map[string]bool{"2024-01-15": true, "2024-01": false} {
		c := searchtest.Parsed(searchtest.InsertOf(consumertest.Item{"id": consumertest.S("k")}, consumertest.Item{"order": {"M": consumertest.Item{"placed": consumertest.S(text)}}}))
		if err := r.Refuse(c); (err == nil) != want || err != nil && !strings.Contains(err.Error(), "order.placed") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
