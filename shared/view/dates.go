package view

import (
	"fmt"
	"time"

	"sluice/shared/change"
	"sluice/shared/declaration"
	"sluice/shared/timestamp"
)

// dates says which items' own timestamps can't be true.
type dates struct {
	by       declaration.Path // to the item's timestamp
	zone     zone
	earliest time.Time
}

// check depends on the item alone, since what was counted must be taken away one day.
// So there is no check for the future: when an item was written, it doesn't say.
func (d *dates) check(i item) error {
	at, err := d.zone.timestamp(i, d.by)
	if err == nil && at.Before(d.earliest) {
		err = fmt.Errorf("attribute %q is %s, before the earliest that is believed, %s", d.by, at.Format(time.RFC3339), d.earliest.Format(time.DateOnly))
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
	return v.dates.zone.timestamp(item{c.Keys, image}, v.dates.by)
}

// dates reads `dated:`; nil if there is none.
func (r *reader) dates(n node) *dates {
	if n.Kind == declaration.Absent {
		return nil
	}
	f := r.Fields(n, "from: dated", "by", "zone", "earliest")
	d := &dates{by: r.Path(f["by"], "from: dated: by"), zone: r.zone(f["zone"], "from: dated: zone")}
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
	location *time.Location   // for items that state none
	own      declaration.Path // to an item's own; zero: none has
}

// of returns an item's zone. A zone that the item states must exist. An empty text and NULL state none.
func (z zone) of(i item) (*time.Location, error) {
	if z.own.IsZero() {
		return z.location, nil
	}
	value, err := i.value(z.own)
	if err != nil {
		return nil, err
	}
	if t := value.Type(); t == 0 || t == change.NULL || t == change.S && value.Text() == "" {
		return z.location, nil
	}
	name, err := i.text(z.own, change.S)
	if err != nil {
		return nil, err
	}
	location, err := timestamp.LoadZone(name)
	if err != nil {
		return nil, fmt.Errorf("attribute %q: %w", z.own, err)
	}
	return location, nil
}

// timestamp reads an item's timestamp, in the item's zone.
func (z zone) timestamp(i item, of declaration.Path) (time.Time, error) {
	text, err := i.text(of, change.S)
	if err != nil {
		return time.Time{}, err
	}
	location, err := z.of(i)
	if err != nil {
		return time.Time{}, err
	}
	at, err := timestamp.Parse(text, location)
	if err != nil {
		return at, fmt.Errorf("attribute %q: %w", of, err)
	}
	return at, nil
}

// zone reads a zone: its name, or `{attribute: …, otherwise: …}`.
func (r *reader) zone(n node, what string) zone {
	var z zone
	if n.Kind == declaration.Object {
		f := r.Fields(n, what, "attribute", "otherwise")
		z.own = r.Path(f["attribute"], what+": attribute")
		n, what = f["otherwise"], what+": otherwise"
	}
	if name := r.Text(n, what); name != "" {
		var err error
		if z.location, err = timestamp.LoadZone(name); err != nil {
			r.Fault(n.At, "%s: %v", what, err)
		}
	}
	return z
}
