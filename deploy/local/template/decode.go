package template

import (
	"slices"
	"strconv"
	"time"
)

// decoder reads typed values from resolved nodes; what is a name for people. It adds faults, and then returns the zero value.
type decoder struct{ *faults }

// object checks that n is an object with no other keys than those used and those passed over.
func (d decoder) object(n node, what string, used, passedOver []string) node {
	for _, p := range d.pairs(n, what) {
		if !slices.Contains(used, p.key) && !slices.Contains(passedOver, p.key) {
			d.add(p.at, "%s: %s is not understood here; understood: %s", what, p.key, oneOf(slices.Concat(used, passedOver)))
		}
	}
	return n
}

// pairs returns the pairs of an object; none if the value is absent.
func (d decoder) pairs(n node, what string) []pair {
	if n.kind != object && n.kind != null {
		d.add(n.at, "%s must be an object, not %v", what, n.kind)
	}
	return n.pairs
}

// items returns the items of a list; none if the value is absent.
func (d decoder) items(n node, what string) []node {
	if n.kind != list && n.kind != null {
		d.add(n.at, "%s must be a list, not %v", what, n.kind)
	}
	return n.items
}

// text returns a scalar's text; there must be one.
func (d decoder) text(n node, what string) string {
	switch n.kind {
	case scalar:
	case null:
		d.add(n.at, "%s is missing", what)
	default:
		d.add(n.at, "%s must be a value, not %v", what, n.kind)
	}
	return n.text
}

// optional returns a scalar's text, or nothing if the value is absent.
func (d decoder) optional(n node, what string) string {
	if n.kind == null {
		return ""
	}
	return d.text(n, what)
}

func (d decoder) choice(n node, what string, values ...string) string {
	before := len(d.errs)
	text := d.text(n, what)
	if len(d.errs) == before && !slices.Contains(values, text) {
		d.add(n.at, "%s = %q must be one of: %s", what, text, oneOf(values))
	}
	return text
}

// integer returns a whole number from low to high, or absent if there is no value.
func (d decoder) integer(n node, what string, absent, low, high int) int {
	if n.kind == null {
		return absent
	}
	number, err := strconv.Atoi(d.text(n, what))
	if err != nil || number < low || number > high {
		d.add(n.at, "%s = %q must be a whole number from %d to %d", what, n.text, low, high)
		return absent
	}
	return number
}

func (d decoder) seconds(n node, what string, absent, low, high int) time.Duration {
	return time.Duration(d.integer(n, what, absent, low, high)) * time.Second
}

// boolean returns true or false, or absent if there is no value.
func (d decoder) boolean(n node, what string, absent bool) bool {
	if n.kind == null {
		return absent
	}
	return d.choice(n, what, "true", "false") == "true"
}
