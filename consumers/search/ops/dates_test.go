package ops

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"sluice/consumers/search/internal/document"
	"sluice/consumers/search/internal/index"
	"sluice/consumers/search/internal/searchtest"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/operate"
	"sluice/shared/timestamp"
)

// What the other consumers take for a timestamp, the index takes for the same instant, up to the nanosecond; documents keep the
// items' own texts, and the comparison agrees. What the others refuse is a dead letter, as is what the field's type can't hold.
// Fails if texts go to OpenSearch as they are: it takes 2026, 2026-11 and +0530.
func TestDatesAreReadAsEverywhere(t *testing.T) {
	g := newMapped(t)
	s := consumertest.S
	var changes []consumertest.Change
	forms := searchtest.DateForms()
	for i, form := range forms {
		changes = append(changes, searchtest.At(0, fmt.Sprint(i), consumertest.Item{"day": s(form)}))
	}
	changes = append(changes, searchtest.At(0, "list", consumertest.Item{"day": {"L": []consumertest.Value{s("2026-11-30 08:00:05"), s("2026-11-30")}}}), searchtest.At(0, "set", consumertest.Item{"day": {"SS": []string{"2026-11-30 08:00:05", "2026-11-30 08:00:06Z"}}}))
	applied := 0
	for i, err := range g.ApplyBatch(t.Context(), searchtest.ParsedAll(changes)) {
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
	g.Clock = g.Clock.Add(time.Minute)
	g.agrees(applied)
	var answer struct {
		Hits struct {
			Hits []struct {
				ID   string `json:"_id"`
				Sort []int64
			}
		}
	}
	g.Must(http.MethodPost, "/"+g.Route.Index+"/_search", `{"size":1000,"sort":[{"day":"asc"}]}`, &answer)
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

// A document that an earlier version made of a date that only OpenSearch reads is named with the reason, and no repair counts as
// made until the item is right. Fails if such documents seem to be the same.
func TestDatesOfAnEarlierVersion(t *testing.T) {
	g := newMapped(t)
	g.happen(searchtest.At(0, "same", consumertest.Item{"day": consumertest.S("2026-11-30")}))
	g.Clock = g.Clock.Add(time.Minute)
	old := searchtest.At(1, "old", consumertest.Item{"day": consumertest.S("2026-11")})
	g.write(old)
	c := searchtest.Parsed(old)
	const text = `{"_sluice":{"time":"2026-01-02T03:04:06.000000Z","indexed":"2026-01-02T03:05:05.000000Z"},"id":"old","kind":"pub","day":"2026-11"}`
	g.Client.DualWrite(t.Context(), []*index.Operation{{Route: g.Route, ID: "old", Version: document.ScannedVersion(c), Document: []byte(text)}})
	for _, repair := range []bool{false, true} {
		c, r, err := g.compare(operate.Judging{})
		if err == nil && repair {
			err = c.Repair(t.Context(), r.Differences, false)
		}
		if err != nil || len(r.Differences) != 1 || refused(r) != 1 {
			t.Fatalf("%+v, %v; want one refused document", r, err)
		}
		d := r.Differences[0]
		const why = `attribute day, date field day of index`
		if d.Key != "old" || d.What != operate.Different || len(d.Values) != 1 || d.Values[0].Destination != `"2026-11"` || !strings.Contains(d.Refused, why) || repair != strings.Contains(d.Repair, why) {
			t.Errorf("%+v", d)
		}
	}
	g.happen(searchtest.At(2, "old", consumertest.Item{"day": consumertest.S("2026-11-01")}))
	g.Clock = g.Clock.Add(time.Minute)
	g.agrees(2)
}
