package search

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/timestamp"
)

// dateForms are forms of a timestamp, most of which other consumers take.
func dateForms() []string {
	var forms []string
	for _, between := range []string{" ", "T"} {
		for digits := range 13 {
			fraction := ""
			if digits > 0 {
				fraction = "." + "1234567891234"[:digits]
			}
			for _, zone := range []string{"", "Z", "+00:00", "-00:00", "+05:30", "-11:00", "+14:00", "+17:59", "+18:00", "+18:01", "+23:59"} {
				forms = append(forms, "2026-11-30"+between+"08:00:05"+fraction+zone)
			}
		}
	}
	return append(forms, "2026-11-30", "1970-01-01", "1970-01-01 00:00:00", "2262-04-11 23:47:16.854775807", "2024-02-29", "2026-11-30 8:00:00", "2026-11-30 08:00:05,5", "2026-11-30T08:00:05,123Z", "2026-11-30 24:00:00", "2026-02-29",
		"1969-12-31 23:59:59", "2262-04-11 23:47:17", "0001-01-01", "9999-12-31T23:59:59Z", "", "x", "2026", "2026-11", "1700000000000", "2026-11-30T08", "2026-11-30 08:00",
		"2026-11-30T08:00", "2026-11-30T08:00Z", "2026T08", "2026-11T08:00:05Z", "2026-11-30T", "2026-11-30T24:00:00Z", "2026-W48", "2026-W48-1", "2026-334", "+2026-11-30", "-2026-11-30", "+12026-11-30", "12026-11-30", "20261130", "2026-1-5",
		"2026-11-30T08:00:05+0530", "2026-11-30T08:00:05+05", "2026-11-30T08:00:05.5-1100", "2026-11-30 08:00:05+0530", "2026-11-30T08:00:05+05:60", "2026-11-30T08:00:05+24:00", "2026-11-30T08:00:05 Z", "2026-11-30T08:00:05z", "2026-11-30t08:00:05Z",
		"2026-11-30T08:00:05.Z", "2026-11-30 08:00:05.+00000", "0026", " 2026", "1", "2026.5", "now", "2026-11-30||/M", "2026-11-30 24:00:00.000000", "2026-02-29 08:00:05.000000", "2026-11-30 08:60:05.000000", "2026-11-30 08:00:05.00000x", "+026-11-30 08:00:05.000000", "2026-11-30T08:00:05[UTC]")
}

// What the other consumers take for a timestamp, the index takes for the same instant, up to the nanosecond; documents keep the
// items' own texts, and the comparison agrees. What the others refuse is a dead letter, as is what the field's type can't hold.
// Fails if texts go to OpenSearch as they are: it takes 2026, 2026-11 and +0530.
func TestDatesAreReadAsEverywhere(t *testing.T) {
	g := newMapped(t)
	s := consumertest.S
	var changes []consumertest.Change
	forms := dateForms()
	for i, form := range forms {
		changes = append(changes, at(0, fmt.Sprint(i), consumertest.Item{"day": s(form)}))
	}
	changes = append(changes, at(0, "list", consumertest.Item{"day": {"L": []consumertest.Value{s("2026-11-30 08:00:05"), s("2026-11-30")}}}), at(0, "set", consumertest.Item{"day": {"SS": []string{"2026-11-30 08:00:05", "2026-11-30 08:00:06Z"}}}))
	applied := 0
	for i, err := range g.ApplyBatch(t.Context(), parsedAll(changes)) {
		if i >= len(forms) {
			if err != nil && consumer.OutcomeOf(err) != consumer.Applied {
				t.Errorf("%v: %v", changes[i].New["day"], err)
			}
			applied++
			g.write(changes[i])
			continue
		}
		at, parseErr := timestamp.Parse(forms[i], time.UTC)
		held := at.Year() >= 1970 && at.Before(time.Unix(0, 1<<63-1).Add(1))
		want := consumer.Rejected
		if parseErr == nil && held {
			want = consumer.Applied
			applied++
			g.write(changes[i])
		}
		if outcome := consumer.OutcomeOf(err); outcome != want {
			t.Errorf("%q is %v, want %v: %v", forms[i], outcome, want, err)
		}
	}
	g.clock = g.clock.Add(time.Minute)
	g.agrees(applied)
	var answer struct {
		Hits struct {
			Hits []struct {
				ID   string `json:"_id"`
				Sort []int64
			}
		}
	}
	g.must(http.MethodPost, "/"+g.Route.Index+"/_search", `{"size":1000,"sort":[{"day":"asc"}]}`, &answer)
	for _, h := range answer.Hits.Hits {
		var i int
		if n, _ := fmt.Sscan(h.ID, &i); n != 1 {
			continue
		}
		if at, err := timestamp.Parse(forms[i], time.UTC); err == nil && at.UnixNano() != h.Sort[0] {
			t.Errorf("%q is indexed as %v, want %v", forms[i], time.Unix(0, h.Sort[0]).UTC(), at)
		}
	}
	if len(answer.Hits.Hits) != applied {
		t.Errorf("%d documents are found, want %d", len(answer.Hits.Hits), applied)
	}
}

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
		{`"day": {"type": "date", "format": "strict_date_optional_time||yyyy-MM"}`, func(v consumertest.Value) consumertest.Item { return consumertest.Item{"day": v} }, dateForms()},
		{`"day": {"type": "date", "ignore_malformed": "true"}`, func(v consumertest.Value) consumertest.Item { return consumertest.Item{"day": v} }, dateForms()},
		{`"o": {"properties": {"day": {"type": "date"}}}`, func(v consumertest.Value) consumertest.Item { return consumertest.Item{"o": in("day", v)} }, nil},
		{`"o": {"properties": {"p": {"type": "nested", "properties": {"day": {"type": "date"}}}}}`, func(v consumertest.Value) consumertest.Item {
			return consumertest.Item{"o": in("p", list(in("day", v)))}
		}, nil},
		{`"o": {"properties": {"day": {"type": "date"}}}`, func(v consumertest.Value) consumertest.Item { return consumertest.Item{"o.day": v} }, nil},
		{`"o": {"properties": {"p": {"properties": {"day": {"type": "date"}}}}}`, func(v consumertest.Value) consumertest.Item { return consumertest.Item{"o": in("p.day", v)} }, nil},
		{`"o": {"enabled": false, "properties": {"day": {"type": "date"}}}`, func(v consumertest.Value) consumertest.Item { return consumertest.Item{"o": in("day", v)} }, dateForms()},
		{`"day": {"type": "keyword"}`, func(v consumertest.Value) consumertest.Item { return consumertest.Item{"day": v} }, dateForms()},
	} {
		r := &Route{Index: "dated"}
		r.define(`{"mappings": {"dynamic": false, "properties": {` + c.mapping + `}}}`)
		for _, form := range dateForms() {
			_, parseErr := timestamp.Parse(form, time.UTC)
			want := parseErr == nil || slices.Contains(c.also, form)
			if err := r.refuse(parsed(at(0, "k", c.item(s(form))))); (err == nil) != want {
				t.Errorf("%s: %q: %v, want it taken: %v", c.mapping, form, err, want)
			}
		}
	}
	// To OpenSearch a number of four digits is a year, any other one a time in milliseconds.
	r := &Route{Index: "dated"}
	r.define(`{"mappings": {"properties": {"day": {"type": "date"}}}}`)
	for number, want := range map[string]bool{"2026": false, "2.026E3": false, "0": true, "1700000000000": true} {
		if err := r.refuse(parsed(at(0, "k", consumertest.Item{"day": consumertest.N(number)}))); (err == nil) != want {
			t.Errorf("number %s: %v", number, err)
		}
	}
	// What the index ignores isn't read in another way either.
	r.define(`{"mappings": {"properties": {"day": {"type": "date", "ignore_malformed": true}}}}`)
	ignored, _ := parsed(at(0, "k", consumertest.Item{"day": s("2026-11")})).New.Get("day")
	got, altered := r.appendValue(nil, "day", ignored)
	if string(got) != "null" || !altered {
		t.Errorf("the index gets %s", got)
	}
}

// A document that an earlier version made of a date that only OpenSearch reads is named with the reason, and no repair counts as
// made until the item is right. Fails if such documents seem to be the same.
func TestDatesOfAnEarlierVersion(t *testing.T) {
	g := newMapped(t)
	g.happen(at(0, "same", consumertest.Item{"day": consumertest.S("2026-11-30")}))
	g.clock = g.clock.Add(time.Minute)
	old := at(1, "old", consumertest.Item{"day": consumertest.S("2026-11")})
	g.write(old)
	c := parsed(old)
	document := append(appendOwn(nil, c, g.clock), `},"id":"old","kind":"pub","day":"2026-11"}`...)
	g.client.writeLive(t.Context(), []*operation{{to: g.Route, id: "old", version: c.Version << tieBits, document: document}})
	for _, repair := range []bool{false, true} {
		v, err := g.Verify(t.Context(), VerifyOptions{Segments: 1})
		if err == nil && repair {
			err = g.Repair(t.Context(), v.Differences, false)
		}
		if err != nil || len(v.Differences) != 1 || v.Refused() != 1 {
			t.Fatalf("%+v, %v; want one refused document", v, err)
		}
		d := v.Differences[0]
		const why = `attribute day, date field day of index`
		if d.ID != "old" || d.What != Different || len(d.Values) != 1 || d.Values[0].Index != `"2026-11"` || !strings.Contains(d.Values[0].Refused, why) || repair != strings.Contains(d.Repair, why) {
			t.Errorf("%+v", d)
		}
	}
	g.happen(at(2, "old", consumertest.Item{"day": consumertest.S("2026-11-01")}))
	g.clock = g.clock.Add(time.Minute)
	g.agrees(2)
}
