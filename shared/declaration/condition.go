package declaration

import (
	"slices"
	"strings"

	"sluice/shared/change"
)

// Condition is what a string attribute of an item must hold: a text, or one that
// begins so.
type Condition struct {
	Attribute, Text string
	Prefix          bool
}

// Holds tells whether the condition holds for the attribute's text.
func (c Condition) Holds(text string) bool {
	if c.Prefix {
		return strings.HasPrefix(text, c.Text)
	}
	return text == c.Text
}

// AllHold tells whether an item meets all conditions; text returns an attribute
// of it, and whether it is a string.
func AllHold(conditions []Condition, text func(attribute string) (string, bool)) bool {
	return !slices.ContainsFunc(conditions, func(c Condition) bool {
		value, ok := text(c.Attribute)
		return !ok || !c.Holds(value)
	})
}

// AllHoldIn tells whether an image, whose keys stand apart, meets all conditions. An
// image that isn't there meets none.
func AllHoldIn(conditions []Condition, keys, image change.Image) bool {
	return image.Exists() && AllHold(conditions, func(attribute string) (string, bool) {
		v, ok := keys.Get(attribute)
		if !ok {
			v, _ = image.Get(attribute)
		}
		return v.Text(), v.Type() == change.S
	})
}

// Conditions reads an object of attributes and what each must hold: the whole
// text, or {prefix: …}.
func (r *Reader) Conditions(n Node, what string) []Condition {
	var conditions []Condition
	for _, p := range r.Pairs(n, what) {
		c := Condition{Attribute: p.Key}
		if p.Value.Kind == Object {
			c.Prefix = true
			p.Value = r.Fields(p.Value, what+": "+p.Key, "prefix")["prefix"]
		}
		c.Text = r.Text(p.Value, what+": "+p.Key)
		conditions = append(conditions, c)
	}
	return conditions
}
