package view

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"sluice/shared/timestamp/timestamptest"
)

// Boxes of every zone that skips or repeats a midnight. Fails if any part of a box is computed with time.Date, which
// takes the hour before a skipped midnight for it.
func TestBoxesAroundMidnights(t *testing.T) {
	for _, c := range timestamptest.Midnights(t) {
		year, week := c.At.ISOWeek()
		want := map[string]string{"day": c.Day(), "week": fmt.Sprintf("%d-W%02d", year, week), "month": c.At.Format("2006-01")}
		for name, want := range want {
			b := &Box{unit: units[name], zone: zone{location: c.Zone}, keep: 36 * time.Hour}
			if label, err := b.Of(c.Text); err != nil || label != want || b.At(c.At) != want {
				t.Errorf("%s of %s in %v is %q, %v; want %s", name, c.Text, c.Zone, label, err, want)
			}
			end, err := b.end(want)
			if err != nil || b.At(end) <= want || b.At(end.Add(-time.Second)) > want {
				t.Errorf("%s %s in %v ends %v, %v", name, want, c.Zone, end, err)
			}
			if c.Text != c.At.Format(time.RFC3339) || name != "day" {
				continue // looking at the clock takes long
			}
			if got, want := b.Open(c.At), openBy(b, c.At); !slices.Equal(got, want) {
				t.Errorf("at %v in %v open are %v, want %v", c.At, c.Zone, got, want)
			}
		}
	}
}

// openBy returns the open days by looking at the clock: every minute of the last four hours, in which a day may be one
// minute old, and before that every half hour.
func openBy(b *Box, now time.Time) []string {
	var labels []string
	for at, step := now, time.Minute; at.After(now.Add(-4 * 24 * time.Hour)); at = at.Add(-step) {
		if now.Sub(at) >= 4*time.Hour {
			step = 30 * time.Minute
		}
		label := b.At(at)
		if !slices.Contains(labels, label) {
			if end, err := b.end(label); err == nil && now.Before(end.Add(b.keep)) {
				labels = append(labels, label)
			}
		}
	}
	slices.Sort(labels)
	slices.Reverse(labels)
	return labels
}
