// Package timestamptest has the days on which time zones skip or repeat a midnight, for the tests of everything that
// sorts items by day.
package timestamptest

import (
	"sort"
	"testing"
	"time"

	"sluice/shared/timestamp"
)

// Case is a timestamp near a midnight that its zone skips or repeats.
type Case struct {
	Zone *time.Location
	Text string    // a local time, or one with an offset
	At   time.Time // the instant that Text means, in the zone
}

// Day returns the local date of the instant.
func (c Case) Day() string { return c.At.Format(time.DateOnly) }

// Since is when the cases begin. Until is when they end.
var (
	Since = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	Until = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
)

// Midnights returns the cases of every zone that skips or repeats a midnight. The instants come from looking at the
// zone's clock minute by minute, and not from the code under test.
func Midnights(t *testing.T) []Case {
	t.Helper()
	names, err := timestamp.Zones()
	if err != nil {
		t.Fatal(err)
	}
	var cases []Case
	for _, name := range names {
		zone, err := timestamp.LoadZone(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range Changes(zone, Since, Until) {
			cases = append(cases, around(zone, at)...)
		}
	}
	if len(cases) == 0 {
		t.Fatal("no zone skips or repeats a midnight")
	}
	return cases
}

// Changes returns the instants at which the zone's clocks are put forward or back. It looks at them every five
// days, since no zone has changed them twice in less than three weeks.
func Changes(zone *time.Location, since, until time.Time) []time.Time {
	const step = 5 * 24 * time.Hour
	var changes []time.Time
	before := offset(since.In(zone))
	for at := since; at.Before(until); at = at.Add(step) {
		after := offset(at.Add(step).In(zone))
		if after == before {
			continue
		}
		seconds := sort.Search(int(step.Seconds()), func(n int) bool {
			return offset(at.Add(time.Duration(n)*time.Second).In(zone)) != before
		})
		changes = append(changes, at.Add(time.Duration(seconds)*time.Second).In(zone))
		before = after
	}
	return changes
}

// offset returns by how much a clock is ahead of UTC.
func offset(at time.Time) time.Duration {
	_, seconds := at.Zone()
	return time.Duration(seconds) * time.Second
}

// wall returns what a clock shows, as a time in UTC.
func wall(at time.Time) time.Time { return at.UTC().Add(offset(at)) }

// around returns the cases of a change of the clocks, none if no midnight is skipped or repeated.
func around(zone *time.Location, change time.Time) []Case {
	before, after := offset(change.Add(-time.Second)), offset(change)
	first, last := change.UTC().Add(min(before, after)), change.UTC().Add(max(before, after))
	midnight := first.Truncate(24 * time.Hour)
	if midnight.Before(first) {
		midnight = midnight.Add(24 * time.Hour)
	}
	if !midnight.Before(last) {
		return nil
	}
	var cases []Case
	for _, form := range []struct {
		layout string
		after  time.Duration // midnight
	}{
		{time.DateOnly, 0},
		{time.DateOnly, -24 * time.Hour},
		{time.DateOnly, 24 * time.Hour},
		{"2006-01-02 15:04:05", 0},
		{"2006-01-02T15:04:05", 30 * time.Minute},
		{"2006-01-02 15:04:05.000000", 59 * time.Minute},
		{"2006-01-02 15:04:05", 23 * time.Hour},
		{"2006-01-02T15:04:05.000", -time.Minute},
		{"2006-01-02 15:04:05", -time.Hour},
	} {
		shown := midnight.Add(form.after)
		cases = append(cases, Case{zone, shown.Format(form.layout), Clock(zone, shown)})
	}
	for _, at := range []time.Time{change.Add(-time.Minute), change, change.Add(time.Hour)} {
		cases = append(cases, Case{zone, at.Format(time.RFC3339), at}, Case{zone, at.UTC().Format("2006-01-02 15:04:05Z07:00"), at})
	}
	return cases
}

// Clock returns the first instant at which the zone's clock shows a time, or a later one. It looks at the clock minute
// by minute, from the time at which the clocks furthest ahead show it.
func Clock(zone *time.Location, shown time.Time) time.Time {
	at := shown.Truncate(time.Minute).Add(-15 * time.Hour).In(zone)
	for wall(at).Before(shown) {
		at = at.Add(time.Minute)
	}
	return at
}
