package view

import (
	"fmt"
	"time"

	"sluice/shared/change"
	"sluice/shared/declaration"
)

// dates says which items' own timestamps can't be true.
type dates struct {
	attribute string // of the item, with the timestamp
	zone      zone
	earliest  time.Time
}

// check depends on the item alone, since what was counted must be taken away one day.
// So there is no check for the future: when an item was written, it doesn't say.
func (d *dates) check(i item) error {
	at, err := d.zone.timestamp(i, d.attribute)
	if err == nil && at.Before(d.earliest) {
		err = fmt.Errorf("attribute %q is %s, before the earliest that is believed, %s", d.attribute, at.Format(time.RFC3339), d.earliest.Format(time.DateOnly))
	}
	return err
}

// TimeOf returns the time that the change's new image states, or the old one's if the
// item was removed; in the item's own zone. The view must be dated.
func (v *View) TimeOf(c *change.Change) (time.Time, error) {
	if v.dates == nil {
		return time.Time{}, fmt.Errorf("view %s isn't dated", v.Name)
	}
	image := c.New
	if !image.Exists() {
		image = c.Old
	}
	return v.dates.zone.timestamp(item{c.Keys, image}, v.dates.attribute)
}

// dates reads `dated:`; nil if there is none.
func (r *reader) dates(n node) *dates {
	if n.Kind == declaration.Absent {
		return nil
	}
	f := r.Fields(n, "from: dated", "by", "zone", "earliest")
	d := &dates{attribute: r.Text(f["by"], "from: dated: by"), zone: r.zone(f["zone"], "from: dated: zone")}
	if text := r.Text(f["earliest"], "from: dated: earliest"); text != "" {
		var err error
		if d.earliest, err = time.Parse(time.DateOnly, text); err != nil {
			r.Fault(f["earliest"].At, "from: dated: earliest %q must be a date like 2000-01-01", text)
		}
	}
	return d
}

// zone is the time zone in which days begin and timestamps without an offset are: a
// stated one, or an item's own.
type zone struct {
	location  *time.Location // for items that state none
	attribute string         // with an item's own; empty: none has
}

// of returns an item's zone. One that it states must exist.
func (z zone) of(i item) (*time.Location, error) {
	if z.attribute == "" || i.value(z.attribute).Type() == 0 {
		return z.location, nil
	}
	name, err := i.text(z.attribute, change.S)
	if err != nil {
		return nil, err
	}
	location, err := loadZone(name)
	if err != nil {
		return nil, fmt.Errorf("attribute %q: %w", z.attribute, err)
	}
	return location, nil
}

// timestamp reads an item's timestamp, in the item's zone.
func (z zone) timestamp(i item, attribute string) (time.Time, error) {
	text, err := i.text(attribute, change.S)
	if err != nil {
		return time.Time{}, err
	}
	location, err := z.of(i)
	if err != nil {
		return time.Time{}, err
	}
	at, err := ParseTime(text, location)
	if err != nil {
		return at, fmt.Errorf("attribute %q: %w", attribute, err)
	}
	return at, nil
}

// loadZone finds a zone by its name. The machine's own, and none, aren't names.
func loadZone(name string) (*time.Location, error) {
	location, err := time.LoadLocation(name)
	if err != nil || name == "" || location == time.Local {
		return nil, fmt.Errorf("unknown zone %q; zones are UTC or like Europe/Berlin", name)
	}
	return location, nil
}

// zone reads a zone: its name, or `{attribute: …, otherwise: …}`.
func (r *reader) zone(n node, what string) zone {
	var z zone
	if n.Kind == declaration.Object {
		f := r.Fields(n, what, "attribute", "otherwise")
		z.attribute = r.Text(f["attribute"], what+": attribute")
		n, what = f["otherwise"], what+": otherwise"
	}
	if name := r.Text(n, what); name != "" {
		var err error
		if z.location, err = loadZone(name); err != nil {
			r.Fault(n.At, "%s: %v", what, err)
		}
	}
	return z
}

// layouts are the forms of a timestamp. Fractions of a second may follow the
// seconds in any of them. Those without an offset are read in the given zone.
var layouts = []string{"2006-01-02 15:04:05", "2006-01-02T15:04:05", time.RFC3339, "2006-01-02 15:04:05Z07:00", time.DateOnly}

// ParseTime reads a timestamp like 2020-09-16 00:59:07.420452 or
// 2024-01-15T10:30:00Z; one without an offset is in the zone. So is the result.
func ParseTime(text string, in *time.Location) (time.Time, error) {
	for _, layout := range layouts {
		if at, err := time.ParseInLocation(layout, text, in); err == nil {
			return at.In(in), nil // as the text's offset may be another
		}
	}
	return time.Time{}, fmt.Errorf("%q is no timestamp like 2020-09-16 00:59:07.420452 or 2024-01-15T10:30:00Z", text)
}
