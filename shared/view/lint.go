package view

import (
	"maps"
	"slices"
	"strings"

	"sluice/shared/declaration"
)

// checkTogether checks what only all views together tell: that no two write the
// same item, and that none feeds itself.
func (r *reader) checkTogether(views []*View) {
	for i, v := range views {
		for _, earlier := range views[:i] {
			r.checkPair(earlier, v)
		}
		if path := feedback(v, v, views, nil); path != nil {
			r.Fault(v.at, "view %s feeds itself: its own items may match the filter of %s; write to another table, or filter by a key or attribute that the views' items don't have",
				v.Name, strings.Join(path, ", whose items may match that of "))
		}
	}
}

func (r *reader) checkPair(earlier, v *View) {
	if v.Name == earlier.Name {
		r.Fault(v.at, "a view named %s stands in line %d already", v.Name, earlier.at.Line)
	}
	if v.group != nil && earlier.group != nil {
		r.Fault(v.at, "views %s and %s both name their ledger groups themselves; one view may, or theirs could be the same", earlier.Name, v.Name)
	}
	if v.Table != earlier.Table {
		return
	}
	keys, earlierKeys := slices.Sorted(maps.Keys(v.key)), slices.Sorted(maps.Keys(earlier.key))
	if !slices.Equal(keys, earlierKeys) {
		r.Fault(v.at, "views %s and %s name different keys of table %s: %s and %s", earlier.Name, v.Name, v.Table,
			strings.Join(earlierKeys, ", "), strings.Join(keys, ", "))
		return
	}
	for _, key := range keys {
		if v.key[key].number != earlier.key[key].number {
			r.Fault(v.at, "views %s and %s write key %s of table %s, one as text and one as a number", earlier.Name, v.Name, key, v.Table)
			return
		}
	}
	for _, key := range keys {
		if !v.key[key].couldMeet(earlier.key[key].template) {
			return
		}
	}
	r.Fault(v.at, "views %s and %s could write the same item of table %s; begin their keys with different texts", earlier.Name, v.Name, v.Table)
}

// feedback returns the names of the views that lead from v's items back to
// home, home last; nil if none do. Seen are those that were gone through.
func feedback(v, home *View, views, seen []*View) []string {
	for _, next := range views {
		if !v.feeds(next) {
			continue
		}
		if next == home {
			return []string{home.Name}
		}
		if slices.Contains(seen, next) {
			continue
		}
		if path := feedback(next, home, views, append(seen, next)); path != nil {
			return append([]string{next.Name}, path...)
		}
	}
	return nil
}

// feeds tells whether an item that v writes could match w's filter.
func (v *View) feeds(w *View) bool {
	if v.Table != w.Source {
		return false
	}
	for _, c := range w.where {
		if !v.couldHold(c) {
			return false
		}
	}
	return true
}

// couldHold tells whether a condition could hold for an item that v writes.
func (v *View) couldHold(c declaration.Condition) bool {
	if c.Compare == "exists" {
		return true // rarely isn't so
	}
	attribute, whole := c.Attribute.Name()
	if c.Boolean() || !whole {
		_, ok := v.latest[attribute] // nothing else that v writes can be a boolean, or have members
		return ok
	}
	could := func(t template) bool {
		if c.Prefix() {
			return t.couldBegin(c.Text)
		}
		return t.couldBe(c.Text)
	}
	if key, ok := v.key[attribute]; ok {
		return key.number == c.Numeric() && (c.Numeric() || could(key.template))
	}
	if c.Numeric() { // nearly all that v writes is numbers
		return v.writes(attribute)
	}
	if v.shard != nil && v.shard.attribute == attribute {
		return v.shard.value != nil && could(*v.shard.value)
	}
	_, ok := v.latest[attribute] // could be any text; all else that v writes is a number
	return ok
}
