package view

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/timestamp"
)

const horizon = 384 * time.Hour

var noon = time.Date(2024, 1, 15, 12, 0, 0, 0, time.UTC)

// pets are the views of these tests: one without a box, one with boxes that close.
func pets(t *testing.T) (all, day *View) {
	t.Helper()
	views, err := Parse("views.yaml", []byte(`views:
  - name: all
    from: {table: Pets, where: {entityType: ACTIVITY, PK: {prefix: "PET#"}}}
    into: {table: Counts, key: {Id: "PET#{petId}"}}
    count: n
    sum: {minutes: minutes}
  - name: day
    from: {table: Pets, where: {entityType: ACTIVITY}, subtractExpired: false}
    into: {table: Days, key: {Id: "PET#{petId}", Day: "{box}"}}
    box: {of: timestamp, unit: day, zone: Europe/Berlin, keep: 2d, expiresAt: Gone}
    shard: {attribute: Shard, by: "{petId}", count: 4, value: "{box}#{shard}"}
    count: n
    since: at
    latest: {last: type}
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	return views[0], views[1]
}

func activity(pet, timestamp, minutes string) consumertest.Item {
	return consumertest.Item{
		"PK": consumertest.S("PET#x"), "SK": consumertest.S("ACTIVITY#1"), "entityType": consumertest.S("ACTIVITY"),
		"petId": consumertest.S(pet), "timestamp": consumertest.S(timestamp), "type": consumertest.S("walk"), "minutes": consumertest.N(minutes),
	}
}

func of(kind string) consumertest.Item {
	i := activity("rex", "2024-01-15T10:00:00Z", "1")
	i["entityType"] = consumertest.S(kind)
	return i
}

// describe tells what a change does to a view: key, what is added, the latest
// value, and the time since when, in µs after noon.
func describe(t *testing.T, v *View, c consumertest.Change) []string {
	t.Helper()
	c.Table = "Pets"
	c.Keys = consumertest.Item{"PK": consumertest.S("PET#x"), "SK": consumertest.S("ACTIVITY#1")}
	if c.Time.IsZero() {
		c.Time = noon
	}
	parsed, err := change.Parse(c.Record())
	if err != nil {
		t.Fatal(err)
	}
	parts, err := v.Contributions(parsed, horizon)
	if err != nil {
		return []string{consumer.OutcomeOf(err).String()}
	}
	var out []string
	for _, p := range parts {
		text := p.Target.Key["Id"].(*types.AttributeValueMemberS).Value
		if day, ok := p.Target.Key["Day"].(*types.AttributeValueMemberS); ok {
			text += " " + day.Value
		}
		text += " n" + p.Amount.Add["n"].String()
		if minutes, ok := p.Amount.Add["minutes"]; ok {
			text += " minutes" + minutes.String()
		}
		if last, ok := p.Amount.Latest["last"].(*types.AttributeValueMemberS); ok {
			text += " " + last.Value
		}
		if at, ok := p.Amount.Largest["at"]; ok {
			text += " since" + at.Sub(decimal.NewFromInt(noon.UnixMicro())).String()
		}
		out = append(out, text)
	}
	return out
}

func TestContributions(t *testing.T) {
	all, day := pets(t)
	monday := "2024-01-15T10:00:00Z"
	rex, max := activity("rex", monday, "30"), activity("max", monday, "20")
	without := func(name string) consumertest.Item {
		i := activity("rex", monday, "30")
		delete(i, name)
		return i
	}
	for name, test := range map[string]struct {
		view *View
		c    consumertest.Change
		want []string
	}{
		"insert":                      {all, consumertest.Change{New: rex}, []string{"PET#rex n1 minutes30"}},
		"remove without its image":    {all, consumertest.Change{}, []string{"rejected"}},
		"expired without its image":   {day, consumertest.Change{TTL: true}, []string{"skipped"}},
		"remove":                      {all, consumertest.Change{Old: rex}, []string{"PET#rex n-1 minutes-30"}},
		"modify":                      {all, consumertest.Change{Old: rex, New: activity("rex", monday, "45")}, []string{"PET#rex n0 minutes15"}},
		"nothing viewed changes":      {all, consumertest.Change{Old: rex, New: activity("rex", "x", "30")}, []string{"skipped"}},
		"moved to another group":      {all, consumertest.Change{Old: rex, New: max}, []string{"PET#max n1 minutes20", "PET#rex n-1 minutes-30"}},
		"into the filter":             {all, consumertest.Change{Old: of("NOTE"), New: rex}, []string{"PET#rex n1 minutes30"}},
		"out of the filter":           {all, consumertest.Change{Old: rex, New: of("NOTE")}, []string{"PET#rex n-1 minutes-30"}},
		"not viewed":                  {all, consumertest.Change{New: of("NOTE")}, []string{"skipped"}},
		"no filter attribute":         {all, consumertest.Change{New: without("entityType")}, []string{"skipped"}},
		"no key attribute":            {all, consumertest.Change{New: without("petId")}, []string{"rejected"}},
		"no number":                   {all, consumertest.Change{New: without("minutes")}, []string{"rejected"}},
		"an empty attribute in a key": {day, consumertest.Change{New: activity("", monday, "1")}, []string{"PET# 2024-01-15 n1 walk since0"}},
		"expired, subtracted":         {all, consumertest.Change{Old: rex, TTL: true}, []string{"PET#rex n-1 minutes-30"}},
		"expired, kept":               {day, consumertest.Change{Old: rex, TTL: true}, []string{"skipped"}},
		"a removal leaves latest":     {day, consumertest.Change{Old: rex}, []string{"PET#rex 2024-01-15 n-1 since0"}},
		"latest is of the new image":  {day, consumertest.Change{Old: rex, New: rex}, []string{"PET#rex 2024-01-15 n0 walk"}},
		"no latest value":             {day, consumertest.Change{New: without("type")}, []string{"rejected"}},
		"another day":                 {day, consumertest.Change{Old: rex, New: activity("rex", "2024-01-16 01:00:00.5", "1")}, []string{"PET#rex 2024-01-16 n1 walk since0", "PET#rex 2024-01-15 n-1 since0"}},
		"no timestamp":                {day, consumertest.Change{New: activity("rex", "yesterday", "1")}, []string{"rejected"}},
		"in time for the box":         {day, consumertest.Change{New: rex, Time: noon.Add(58*time.Hour + 59*time.Minute)}, []string{"PET#rex 2024-01-15 n1 walk since212340000000"}},
		"too late for the box":        {day, consumertest.Change{New: rex, Time: noon.Add(59*time.Hour + time.Microsecond)}, []string{"skipped"}},
		"out of a closed box":         {day, consumertest.Change{Old: rex, New: activity("rex", "2024-02-01", "1"), Time: noon.Add(90 * time.Hour)}, []string{"PET#rex 2024-02-01 n1 walk since324000000000"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, describe(t, test.view, test.c)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// A box must outlive every duplicate of the last change that it counts: one made
// at its end and keep comes again as long as the horizon lets it in. Fails if the
// time to live is that of the box alone.
func TestBoxOutlivesItsDuplicates(t *testing.T) {
	_, day := pets(t)
	parsed, err := change.Parse(consumertest.Change{Table: "Pets", Time: noon, Keys: consumertest.Item{"PK": consumertest.S("PET#x")},
		New: activity("rex", "2024-01-15T10:00:00Z", "1")}.Record())
	if err != nil {
		t.Fatal(err)
	}
	parts, err := day.Contributions(parsed, horizon)
	if err != nil {
		t.Fatal(err)
	}
	set := map[string]string{}
	for name, v := range parts[0].Target.Set {
		switch v := v.(type) {
		case *types.AttributeValueMemberN:
			set[name] = v.Value
		case *types.AttributeValueMemberS:
			set[name] = v.Value
		}
	}
	last := time.Date(2024, 1, 16, 0, 0, 0, 0, day.Box.zone.location).Add(48 * time.Hour) // the last change that counts
	if !(place{until: last}).counts(last) {
		t.Error("a change at the box's end and keep doesn't count")
	}
	want := map[string]string{"Gone": "1707001200", "Shard": set["Shard"]} // last + 16 days + 1 day
	if got := last.Add(17 * 24 * time.Hour).Unix(); got != 1707001200 {
		t.Fatalf("the test is wrong: %d", got)
	}
	if diff := cmp.Diff(want, set); diff != "" || !strings.HasPrefix(set["Shard"], "2024-01-15#") {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestBoxLabels(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		unit, timestamp, want string
		zone                  *time.Location
	}{
		{"day", "2020-09-16 00:59:07.420452", "2020-09-16", time.UTC},
		{"day", "2020-09-16 00:59:07.420452", "2020-09-16", berlin}, // no offset: the zone's own
		{"day", "2024-01-15T23:30:00Z", "2024-01-15", time.UTC},
		{"day", "2024-01-15T23:30:00Z", "2024-01-16", berlin},
		{"day", "2024-01-15T23:30:00.123-05:00", "2024-01-16", time.UTC},
		{"day", "2024-01-15T23:30:00", "2024-01-15", berlin},
		{"day", "2024-01-15", "2024-01-15", berlin},
		{"week", "2021-01-03", "2020-W53", time.UTC},
		{"week", "2021-01-04", "2021-W01", time.UTC},
		{"week", "2024-12-30", "2025-W01", time.UTC},
		{"month", "2024-02-29 23:59:59.999999", "2024-02", time.UTC},
		{"month", "2024-02-29T23:59:59Z", "2024-03", berlin},
	} {
		b := &Box{unit: units[test.unit], zone: zone{location: test.zone}}
		if got, err := b.Of(test.timestamp); err != nil || got != test.want {
			t.Errorf("%s of %s in %v is %q, %v; want %s", test.unit, test.timestamp, test.zone, got, err, test.want)
		}
	}
	for _, bad := range []string{"", "2024-01-15T", "15.1.2024", "1705314600", "2024-13-01", "2024-02-30"} {
		if got, err := (&Box{unit: units["day"], zone: zone{location: time.UTC}}).Of(bad); err == nil {
			t.Errorf("%q is taken for %s", bad, got)
		}
	}
}

// The end of a box, in a zone whose days have 23 and 25 hours.
func TestBoxEnds(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ unit, timestamp, end string }{
		{"day", "2024-03-31 01:00:00", "2024-04-01T00:00:00+02:00"},
		{"day", "2024-10-27 12:00:00", "2024-10-28T00:00:00+01:00"},
		{"week", "2024-03-31 12:00:00", "2024-04-01T00:00:00+02:00"},
		{"week", "2024-04-01 00:00:00", "2024-04-08T00:00:00+02:00"},
		{"month", "2024-12-31 23:59:59", "2025-01-01T00:00:00+01:00"},
	} {
		b := &Box{unit: units[test.unit], zone: zone{location: berlin}, expiresAt: "x"}
		at, err := timestamp.Parse(test.timestamp, berlin)
		if got := b.at(at).until.Format(time.RFC3339); err != nil || got != test.end {
			t.Errorf("%s of %s ends %s, %v; want %s", test.unit, test.timestamp, got, err, test.end)
		}
	}
}

// Groups of different items never have the same name, nor that of a view with
// names of its own.
func TestGroupsAreUnambiguous(t *testing.T) {
	long := strings.Repeat("x", 2000)
	seen := map[string]int{}
	for i, item := range []struct {
		table string
		key   map[string]string
	}{
		{"T", map[string]string{"A": "b", "C": "d"}},
		{"T", map[string]string{"A": "b/1:C=1:d"}},
		{"T", map[string]string{"A": "b/1:C", "C": "d"}},
		{"T/1", map[string]string{"A": "b", "C": "d"}},
		{"T", map[string]string{"A": long}},
		{"T", map[string]string{"A": long + "x"}},
		{"T", map[string]string{"A": "sha256:"}},
	} {
		g := groupOf(item.table, item.key)
		if other, taken := seen[g]; taken || len(g) > 2048 || !strings.HasPrefix(g, groupMark) {
			t.Errorf("item %d has the group %q (%d bytes), as has %d", i, g, len(g), other)
		}
		seen[g] = i
	}
}

// Totals in buckets: what moves within one changes nothing, and a bucket is one
// item with one name in the ledger, however its number is written.
func TestBucketContributions(t *testing.T) {
	views, err := Parse("views.yaml", []byte(`views:
  - name: ranks
    from: {table: Totals}
    into: {table: Ranks, key: {Board: total, Bucket: {number: "{bucket}"}}}
    bucket: {of: Score, digits: 2}
    count: n
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	total := func(score string) consumertest.Item { return consumertest.Item{"Score": consumertest.N(score)} }
	for name, test := range map[string]struct {
		c    consumertest.Change
		want []string
	}{
		"insert":                     {consumertest.Change{New: total("12345")}, []string{"12000 n1 //5:Ranks/5:Board=5:total/6:Bucket=5:12000"}},
		"another form of the number": {consumertest.Change{New: total("1.2e4")}, []string{"12000 n1 //5:Ranks/5:Board=5:total/6:Bucket=5:12000"}},
		"within a bucket":            {consumertest.Change{Old: total("12345"), New: total("12999.9")}, []string{"skipped"}},
		"to another": {consumertest.Change{Old: total("12345"), New: total("-0.0456")},
			[]string{"-0.045 n1 //5:Ranks/5:Board=5:total/6:Bucket=6:-0.045", "12000 n-1 //5:Ranks/5:Board=5:total/6:Bucket=5:12000"}},
		"no number": {consumertest.Change{New: consumertest.Item{"Score": consumertest.S("7")}}, []string{"rejected"}},
	} {
		test.c.Table, test.c.Time, test.c.Keys = "Totals", noon, consumertest.Item{"UserId": consumertest.S("reed")}
		parsed, err := change.Parse(test.c.Record())
		if err != nil {
			t.Fatal(err)
		}
		parts, err := views[0].Contributions(parsed, horizon)
		var got []string
		if err != nil {
			got = append(got, consumer.OutcomeOf(err).String())
		}
		for _, p := range parts {
			bucket, ok := p.Target.Key["Bucket"].(*types.AttributeValueMemberN)
			if !ok {
				t.Fatalf("%s: the bucket is a %T, want a number", name, p.Target.Key["Bucket"])
			}
			got = append(got, bucket.Value+" n"+p.Amount.Add["n"].String()+" "+p.Target.Group)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
