package search

import (
	"fmt"
	"net/http"
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
		"1969-12-31 23:59:59", "2262-04-11 23:47:17", "0001-01-01", "9999-12-31T23:59:59Z", "", "x", "2026", "2026-11", "1700000000000", "2026-11-30T08", "2026-11-30 08:00")
}

// What the other consumers take for a timestamp, the index takes for the same instant, up
// to the nanosecond; documents keep the items' own texts, and the comparison agrees. Only what
// the field's type can't hold is a dead letter. Fails if texts go to OpenSearch as they are.
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
		switch outcome := consumer.OutcomeOf(err); {
		case outcome == consumer.Applied:
			applied++
			g.write(changes[i])
		case outcome != consumer.Rejected || parseErr == nil && held:
			t.Errorf("%q is %v: %v", forms[i], outcome, err)
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
