package document_test

import (
	"slices"
	"testing"
	"time"

	"sluice/consumers/search/internal/searchtest"
	"sluice/shared/consumertest"
	"sluice/shared/timestamp"
)

// A date field takes the texts that package timestamp reads, wherever it is mapped; further forms only if its own definition names
// them. Fails for a definition whose fields Sluice doesn't look at.
func TestDatesOfEachDefinition(t *testing.T) {
	s, list := consumertest.S, func(v consumertest.Value) consumertest.Value { return consumertest.Value{"L": []consumertest.Value{v}} }
	in := func(name string, v consumertest.Value) consumertest.Value {
		return consumertest.Value{"M": consumertest.Item{name: v}}
	}
	for _, c := range []struct {
		mapping string
		item    func(consumertest.Value) consumertest.Item
		also    []string // what the definition takes besides
	}{
		{`"day": {"type": "date"}`, func(v consumertest.Value) consumertest.Item { return consumertest.Item{"day": v} }, nil},
		{`"day": {"type": "date_nanos"}`, func(v consumertest.Value) consumertest.Item { return consumertest.Item{"day": list(v)} }, nil},
		{`"day": {"type": "date", "format": "date_optional_time"}`, func(v consumertest.Value) consumertest.Item { return consumertest.Item{"day": v} }, nil},
		{`"day": {"type": "date", "format": "epoch_millis||strict_date_optional_time"}`, func(v consumertest.Value) consumertest.Item { return consumertest.Item{"day": v} }, []string{"1700000000000", "20261130", "1", "2026.5"}},
		{`"day": {"type": "date", "format": "strict_date_optional_time||yyyy-MM"}`, func(v consumertest.Value) consumertest.Item { return consumertest.Item{"day": v} }, searchtest.DateForms()},
		{`"day": {"type": "date", "ignore_malformed": "true"}`, func(v consumertest.Value) consumertest.Item { return consumertest.Item{"day": v} }, searchtest.DateForms()},
		{`"o": {"properties": {"day": {"type": "date"}}}`, func(v consumertest.Value) consumertest.Item { return consumertest.Item{"o": in("day", v)} }, nil},
		{`"o": {"properties": {"p": {"type": "nested", "properties": {"day": {"type": "date"}}}}}`, func(v consumertest.Value) consumertest.Item {
			return consumertest.Item{"o": in("p", list(in("day", v)))}
		}, nil},
		{`"o": {"properties": {"day": {"type": "date"}}}`, func(v consumertest.Value) consumertest.Item { return consumertest.Item{"o.day": v} }, nil},
		{`"o": {"properties": {"p": {"properties": {"day": {"type": "date"}}}}}`, func(v consumertest.Value) consumertest.Item { return consumertest.Item{"o": in("p.day", v)} }, nil},
		{`"o": {"enabled": false, "properties": {"day": {"type": "date"}}}`, func(v consumertest.Value) consumertest.Item { return consumertest.Item{"o": in("day", v)} }, searchtest.DateForms()},
		{`"day": {"type": "keyword"}`, func(v consumertest.Value) consumertest.Item { return consumertest.Item{"day": v} }, searchtest.DateForms()},
	} {
		r := searchtest.RouteOf(`{}`)
		searchtest.Define(r, `{"mappings": {"dynamic": false, "properties": {`+c.mapping+`}}}`)
		for _, form := range searchtest.DateForms() {
			_, parseErr := timestamp.Parse(form, time.UTC)
			want := parseErr == nil || slices.Contains(c.also, form)
			if err := r.Refuse(searchtest.Parsed(searchtest.At(0, "k", c.item(s(form))))); (err == nil) != want {
				t.Errorf("%s: %q: %v, want it taken: %v", c.mapping, form, err, want)
			}
		}
	}
	// To OpenSearch a number of four digits is a year, any other one a time in milliseconds.
	r := searchtest.RouteOf(`{}`)
	searchtest.Define(r, `{"mappings": {"properties": {"day": {"type": "date"}}}}`)
	for number, want := range map[string]bool{"2026": false, "2.026E3": false, "0": true, "1700000000000": true} {
		if err := r.Refuse(searchtest.Parsed(searchtest.At(0, "k", consumertest.Item{"day": consumertest.N(number)}))); (err == nil) != want {
			t.Errorf("number %s: %v", number, err)
		}
	}
	// What the index ignores isn't read in another way either.
	searchtest.Define(r, `{"mappings": {"properties": {"day": {"type": "date", "ignore_malformed": true}}}}`)
	ignored, _ := searchtest.Parsed(searchtest.At(0, "k", consumertest.Item{"day": s("2026-11")})).New.Get("day")
	got, altered := r.AppendValue(nil, "day", ignored)
	if string(got) != "null" || !altered {
		t.Errorf("the index gets %s", got)
	}
}
