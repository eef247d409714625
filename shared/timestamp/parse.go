package timestamp

import (
	"fmt"
	"time"
)

// forms are the forms of a timestamp. A fraction of a second may follow the seconds in each. The forms without an
// offset are local times.
var forms = []struct {
	layout string
	local  bool
}{
	{"2006-01-02 15:04:05", true},
	{"2006-01-02T15:04:05", true},
	{time.RFC3339, false},
	{"2006-01-02 15:04:05Z07:00", false},
	{time.DateOnly, true},
}

// lastYear is the last year of a timestamp. Days of later years would not sort by their dates.
const lastYear = 9999

// shown is how many characters of a wrong text an error quotes.
const shown = 60

// Parse reads a timestamp like 2020-09-16 00:59:07.420452, 2024-01-15T10:30:00Z or 2024-01-15, and returns it in the
// zone. A timestamp without an offset is a local time of the zone, as [Date] reads it; one without a time is the
// start of its day. In the zone its year must be from 0 to 9999: an offset may lead out of that.
func Parse(text string, zone *time.Location) (time.Time, error) {
	for _, form := range forms {
		at, err := time.Parse(form.layout, text)
		if err != nil {
			continue
		}
		if form.local {
			at = firstAt(at, zone)
		} else {
			at = at.In(zone)
		}
		if year := at.Year(); year < 0 || year > lastYear {
			return time.Time{}, fmt.Errorf("%q is in year %d in zone %v, and years are from 0 to %d", text, year, zone, lastYear)
		}
		return at, nil
	}
	return time.Time{}, fmt.Errorf("%.*q is no timestamp like 2020-09-16 00:59:07.420452 or 2024-01-15T10:30:00Z", shown, text)
}

// Date returns the first instant of a day: its midnight, or the end of the gap if the zone skips that midnight. Months
// and days beyond their range are counted on, as time.Date does. A day that the zone skips starts with the next one.
func Date(year int, month time.Month, day int, zone *time.Location) time.Time {
	return firstAt(time.Date(year, month, day, 0, 0, 0, 0, time.UTC), zone)
}

// furthest is more than any zone's clocks are ahead of UTC.
const furthest = 26 * time.Hour

// firstAt returns the first instant at which the zone's clocks show the time of wall, which is in UTC, or a later one.
// time.Date chooses another instant for times that the zone skips, and doesn't say which for those that it repeats.
func firstAt(wall time.Time, zone *time.Location) time.Time {
	if zone == time.UTC {
		return wall
	}
	for from := wall.Add(-furthest).In(zone); ; {
		_, offset := from.Zone()
		at := wall.Add(-time.Duration(offset) * time.Second).In(zone)
		if at.Before(from) { // skipped: the clocks went past it when this offset began
			return from
		}
		end, last := offsetEnd(from)
		if last || at.Before(end) {
			return at
		}
		from = end
	}
}

const day = 24 * time.Hour

// offsetEnd returns a later time up to which the offset stays as it is at this time; last if it stays for ever.
func offsetEnd(at time.Time) (end time.Time, last bool) {
	_, end = at.ZoneBounds()
	if !end.IsZero() && !end.After(at) {
		// On the 366th day of a year that only a zone's rule covers, ZoneBounds says that the day before was the end.
		end = at.Truncate(day).Add(day)
	}
	return end, end.IsZero()
}
