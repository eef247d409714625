package view

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"sluice/shared/declaration"
	"sluice/shared/timestamp"
)

// Box sorts items into days, weeks or months by a timestamp of their own.
type Box struct {
	unit unit
	of   declaration.Path // to the item's timestamp
	zone zone

	// Boxes with an end: a change counts if it was made not later than keep after
	// the box's end, and the box expires some time after that.
	keep      time.Duration
	expiresAt string // attribute with the time to live; empty: boxes stay
}

type unit struct {
	name   string
	label  func(time.Time) string                                     // of the box that holds the time
	within func(label string, zone *time.Location) (time.Time, error) // a time in the box of that label
	end    func(time.Time) time.Time                                  // of that box
}

// midnight returns the start of the day that is n days after t's.
func midnight(t time.Time, n int) time.Time {
	return timestamp.Date(t.Year(), t.Month(), t.Day()+n, t.Location())
}

// startOf returns the start of the day that a layout's label names.
func startOf(layout, label string, zone *time.Location) (time.Time, error) {
	at, err := time.Parse(layout, label)
	return timestamp.Date(at.Year(), at.Month(), at.Day(), zone), err
}

var units = map[string]unit{
	"day": {
		label: func(t time.Time) string { return t.Format(time.DateOnly) },
		within: func(label string, zone *time.Location) (time.Time, error) {
			return startOf(time.DateOnly, label, zone)
		},
		end: func(t time.Time) time.Time { return midnight(t, 1) },
	},
	"week": { // ISO 8601: from Monday; a year's first week is that of its first Thursday
		label: func(t time.Time) string {
			year, week := t.ISOWeek()
			return fmt.Sprintf("%04d-W%02d", year, week)
		},
		within: func(label string, zone *time.Location) (time.Time, error) {
			var year, week int
			if _, err := fmt.Sscanf(label, "%d-W%d", &year, &week); err != nil {
				return time.Time{}, err
			}
			// The fourth of January is in the first week.
			return timestamp.Date(year, time.January, 4+7*(week-1), zone), nil
		},
		end: func(t time.Time) time.Time { return midnight(t, 7-(int(t.Weekday())+6)%7) },
	},
	"month": {
		label: func(t time.Time) string { return t.Format("2006-01") },
		within: func(label string, zone *time.Location) (time.Time, error) {
			return startOf("2006-01", label, zone)
		},
		end: func(t time.Time) time.Time { return timestamp.Date(t.Year(), t.Month()+1, 1, t.Location()) },
	},
}

// end returns when the box with this label ends; an error if there is none.
func (b *Box) end(label string) (time.Time, error) {
	at, err := b.unit.within(label, b.zone.location)
	if err == nil && b.unit.label(at) != label {
		err = fmt.Errorf("%q is no %s", label, b.unit.name)
	}
	return b.unit.end(at), err
}

// At returns the label of the box that holds the time, in the stated zone.
func (b *Box) At(t time.Time) string { return b.unit.label(t.In(b.zone.location)) }

// Of returns the label of the box that an item's timestamp falls into, in the
// stated zone.
func (b *Box) Of(text string) (label string, err error) {
	at, err := timestamp.Parse(text, b.zone.location)
	if err != nil {
		return "", err
	}
	return b.unit.label(at), nil
}

// Open returns the labels of the boxes that have begun and for which a change
// made now still counts; newest first. The box must be one with keep.
func (b *Box) Open(now time.Time) []string {
	today := now.In(b.zone.location)
	var labels []string
	for n := 1; ; n-- { // tomorrow may have begun already, if the clocks were put back at its first midnight
		at := midnight(today, n)
		if at.After(now) {
			continue
		}
		if !now.Before(b.unit.end(at).Add(b.keep)) {
			return labels
		}
		if label := b.unit.label(at); !slices.Contains(labels, label) {
			labels = append(labels, label)
		}
	}
}

// place is where an item stands: a box, and until when changes count for it.
type place struct {
	label string
	until time.Time // zero: for ever
}

func (p place) counts(changed time.Time) bool { return p.until.IsZero() || !changed.After(p.until) }

// place tells where an item stands.
func (b *Box) place(i item) (place, error) {
	at, err := b.zone.timestamp(i, b.of)
	if err != nil {
		return place{}, err
	}
	return b.at(at), nil
}

func (b *Box) at(t time.Time) place {
	p := place{label: b.unit.label(t)}
	if b.expiresAt != "" {
		p.until = b.unit.end(t).Add(b.keep)
	}
	return p
}

// expirySlack keeps an expired box a while longer than it could be needed, so
// that clocks may differ.
const expirySlack = 24 * time.Hour

// expiry is when a box that counts changes until then may go: once even the
// youngest of them is older than the horizon, no duplicate of any is let in, so
// the ids that the box remembers are not needed any more.
func expiry(until time.Time, horizon time.Duration) time.Time {
	return until.Add(horizon + expirySlack)
}

// box reads `box:`; nil if there is none.
func (r *reader) box(n node) *Box {
	if n.Kind == declaration.Absent {
		return nil
	}
	f := r.Fields(n, "box", "of", "unit", "zone", "keep", "expiresAt")
	b := &Box{of: r.Path(f["of"], "box: of")}
	unit := r.Text(f["unit"], "box: unit")
	var ok bool
	if b.unit, ok = units[unit]; !ok && unit != "" {
		r.Fault(f["unit"].At, "box: unit %q must be one of: %s; without a box a view is of all time", unit, strings.Join(slices.Sorted(maps.Keys(units)), ", "))
	}
	b.unit.name = unit
	b.zone = r.zone(f["zone"], "box: zone")
	if f["keep"].Kind == declaration.Absent && f["expiresAt"].Kind == declaration.Absent {
		return b
	}
	if !b.zone.own.IsZero() {
		r.Fault(f["zone"].At, "box: boxes that close (keep, expiresAt) need one zone, not each item's own")
	}
	b.expiresAt = r.Text(f["expiresAt"], "box: expiresAt, which boxes with keep need,")
	keep := r.Text(f["keep"], "box: keep, which boxes with expiresAt need,")
	var err error
	if b.keep, err = ParseDays(keep); err != nil && keep != "" {
		r.Fault(f["keep"].At, "box: keep %q must be a time like 60d or 36h", keep)
	}
	return b
}

// ParseDays reads 60d, or what time.ParseDuration does, and nothing negative.
func ParseDays(text string) (time.Duration, error) {
	if count, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(count, 10, 16)
		return time.Duration(n) * 24 * time.Hour, err
	}
	d, err := time.ParseDuration(text)
	if err == nil && d < 0 {
		err = fmt.Errorf("%v is negative", d)
	}
	return d, err
}
