package declaration

import (
	"maps"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"sluice/shared/change"
)

// Condition is what an attribute of an item must hold: a text, one that begins so, a
// number that compares so, or any text or number. Another type never does.
type Condition struct {
	Attribute string
	// Compare is "" for the whole text, prefix, exists, or one of the comparisons of
	// numbers: is, above, atLeast, below, atMost.
	Compare string
	Text    string
	number  decimal.Decimal // that Text is, if numbers are compared
}

const (
	prefix = "prefix"
	exists = "exists"
)

// comparisons are those of numbers: what Cmp of the item's with ours must be.
var comparisons = map[string]func(cmp int) bool{
	"is":      func(cmp int) bool { return cmp == 0 },
	"above":   func(cmp int) bool { return cmp > 0 },
	"atLeast": func(cmp int) bool { return cmp >= 0 },
	"below":   func(cmp int) bool { return cmp < 0 },
	"atMost":  func(cmp int) bool { return cmp <= 0 },
}

// Numeric tells whether the condition compares numbers.
func (c Condition) Numeric() bool { return comparisons[c.Compare] != nil }

// Prefix tells whether the condition is about how a text begins.
func (c Condition) Prefix() bool { return c.Compare == prefix }

// Holds tells whether the condition holds for an attribute's type and text.
func (c Condition) Holds(t change.Type, text string) bool {
	switch {
	case c.Numeric():
		number, err := decimal.NewFromString(text)
		return t == change.N && err == nil && comparisons[c.Compare](number.Cmp(c.number))
	case c.Compare == exists:
		return t == change.S || t == change.N
	case c.Prefix():
		return t == change.S && strings.HasPrefix(text, c.Text)
	}
	return t == change.S && text == c.Text
}

// AllHold tells whether an item meets all conditions; value returns the type and text
// of an attribute, type 0 if it has none.
func AllHold(conditions []Condition, value func(attribute string) (change.Type, string)) bool {
	return !slices.ContainsFunc(conditions, func(c Condition) bool {
		return !c.Holds(value(c.Attribute))
	})
}

// AllHoldIn tells whether an image, whose keys stand apart, meets all conditions. An
// image that isn't there meets none.
func AllHoldIn(conditions []Condition, keys, image change.Image) bool {
	return image.Exists() && AllHold(conditions, func(attribute string) (change.Type, string) {
		v, ok := keys.Get(attribute)
		if !ok {
			v, _ = image.Get(attribute)
		}
		return v.Type(), v.Text()
	})
}

// Conditions reads an object of attributes and what each must hold: the whole
// text, or an object with one comparison, like {prefix: …}, {exists: true} or {atLeast: 9}.
func (r *Reader) Conditions(n Node, what string) []Condition {
	known := append([]string{prefix, exists}, slices.Sorted(maps.Keys(comparisons))...)
	var conditions []Condition
	for _, p := range r.Pairs(n, what) {
		what := what + ": " + p.Key
		c := Condition{Attribute: p.Key}
		value := p.Value
		if p.Value.Kind == Object {
			r.Fields(p.Value, what, known...)
			if len(p.Value.Pairs) != 1 {
				r.Fault(p.Value.At, "%s must be a text or have one of %s", what, strings.Join(known, ", "))
				continue
			}
			c.Compare, value = p.Value.Pairs[0].Key, p.Value.Pairs[0].Value
		}
		c.Text = r.Text(value, what)
		if c.Compare == exists && c.Text != "true" {
			r.Fault(value.At, "%s: exists can only be true, not %q", what, c.Text)
		}
		if c.Numeric() && c.Text != "" {
			c.number = r.Number(value, what+": "+c.Compare)
		}
		conditions = append(conditions, c)
	}
	return conditions
}

// Number reads a decimal number that must be there.
func (r *Reader) Number(n Node, what string) decimal.Decimal {
	text := r.Text(n, what)
	if text == "" {
		return decimal.Zero
	}
	number, err := decimal.NewFromString(text)
	if err != nil {
		r.Fault(n.At, "%s must be a number, not %q", what, text)
	}
	return number
}
