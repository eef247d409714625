package declaration

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/shopspring/decimal"

	"sluice/shared/change"
)

// Condition is what a value of an item must be: a text, the beginning of a text, a number that compares so, true
// or false, or any text or number. A value of another type never meets it, nor one that is absent.
type Condition struct {
	Attribute Path // to the value
	// Compare is "" for the whole text, prefix, exists, boolean, or one of the comparisons of
	// numbers: is, above, atLeast, below, atMost.
	Compare string
	Text    string
	number  decimal.Decimal // that Text is, if numbers are compared
}

const (
	prefix = "prefix"
	exists = "exists"
	// boolean stands in no file: it is what true and false without quotes mean.
	boolean = "boolean"
)

// comparisons are those of numbers: what Cmp of the item's with ours must be.
var comparisons = map[string]func(cmp int) bool{
	"is":      func(cmp int) bool { return cmp == 0 },
	"above":   func(cmp int) bool { return cmp > 0 },
	"atLeast": func(cmp int) bool { return cmp >= 0 },
	"below":   func(cmp int) bool { return cmp < 0 },
	"atMost":  func(cmp int) bool { return cmp <= 0 },
}

// Numeric reports whether the condition compares numbers.
func (c Condition) Numeric() bool { return comparisons[c.Compare] != nil }

// Boolean reports whether the condition compares with true or false.
func (c Condition) Boolean() bool { return c.Compare == boolean }

// Prefix reports whether the condition is about how a text begins.
func (c Condition) Prefix() bool { return c.Compare == prefix }

// Holds reports whether the condition holds for an attribute's type and text, which are those of [Typed].
func (c Condition) Holds(t change.Type, text string) bool {
	switch {
	case c.Numeric():
		number, err := decimal.NewFromString(text)
		return t == change.N && err == nil && comparisons[c.Compare](number.Cmp(c.number))
	case c.Compare == exists:
		return t == change.S || t == change.N
	case c.Boolean():
		return t == change.BOOL && text == c.Text
	case c.Prefix():
		return t == change.S && strings.HasPrefix(text, c.Text)
	}
	return t == change.S && text == c.Text
}

// String describes the condition and says which type it compares: Total is the number 9.
func (c Condition) String() string {
	switch {
	case c.Compare == exists:
		return c.Attribute.String() + " is any text or number"
	case c.Prefix():
		return fmt.Sprintf("%s is a text that begins with %q", c.Attribute, c.Text)
	case c.Boolean():
		return fmt.Sprintf("%s is the boolean %s", c.Attribute, c.Text)
	case c.Numeric():
		words := map[string]string{"is": "the number", "above": "a number above", "atLeast": "a number of at least", "below": "a number below", "atMost": "a number of at most"}
		return fmt.Sprintf("%s is %s %s", c.Attribute, words[c.Compare], c.Text)
	}
	return fmt.Sprintf("%s is the text %q", c.Attribute, c.Text)
}

// Where describes conditions, all of which must hold: "" if there are none.
func Where(conditions []Condition) string {
	var all []string
	for _, c := range conditions {
		all = append(all, c.String())
	}
	if len(all) == 0 {
		return ""
	}
	return "where " + strings.Join(all, ", ")
}

// Typed returns the type and text of a value, for conditions: the text of a BOOL is true or false.
func Typed(v change.Value) (change.Type, string) {
	if v.Type() == change.BOOL {
		return change.BOOL, strconv.FormatBool(v.Bool())
	}
	return v.Type(), v.Text()
}

// TypedOf is Typed for a value of the SDK. The text of a value that is none of S, N and BOOL is empty, and its type 0.
func TypedOf(v types.AttributeValue) (change.Type, string) {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return change.S, v.Value
	case *types.AttributeValueMemberN:
		return change.N, v.Value
	case *types.AttributeValueMemberBOOL:
		return change.BOOL, strconv.FormatBool(v.Value)
	}
	return 0, ""
}

// AllHold reports whether an item of the SDK's values meets all conditions.
func AllHold(conditions []Condition, item map[string]types.AttributeValue) bool {
	return !slices.ContainsFunc(conditions, func(c Condition) bool {
		return !c.Holds(TypedOf(c.Attribute.OfItem(item)))
	})
}

// AllHoldIn reports whether an image, whose keys stand apart, meets all conditions. An absent image meets none.
func AllHoldIn(conditions []Condition, keys, image change.Image) bool {
	return image.Exists() && !slices.ContainsFunc(conditions, func(c Condition) bool {
		v, err := c.Attribute.Of(keys, image)
		return err != nil || !c.Holds(Typed(v)) // a path that leads through a value of another type leads nowhere
	})
}

// Conditions reads an object of attributes and what each must hold: a single value, or an object with one comparison,
// like {prefix: …}, {exists: true} or {atLeast: 9}.
//
// A single value in quotes is a text. Without quotes, true and false are booleans, and a number is a number if it is
// written in its shortest form: 9, -1.5. Everything else is a text, as it is written: chess, NO, on, 01234, 1.10, 1e3.
func (r *Reader) Conditions(n Node, what string) []Condition {
	known := append([]string{prefix, exists}, slices.Sorted(maps.Keys(comparisons))...)
	var conditions []Condition
	for _, p := range r.Pairs(n, what) {
		what := what + ": " + p.Key
		var c Condition
		if p.Key == "" {
			r.Fault(p.At, "%s no item has an attribute without a name", what)
		} else {
			c.Attribute = r.oneValue(p.At, r.parsePath(p.At, p.Key, what), what)
		}
		value := p.Value
		if p.Value.Kind == Object {
			r.Fields(p.Value, what, known...)
			if len(p.Value.Pairs) != 1 {
				r.Fault(p.Value.At, "%s must be a text, a number, true or false, or have exactly one of %s", what, strings.Join(known, ", "))
				continue
			}
			c.Compare, value = p.Value.Pairs[0].Key, p.Value.Pairs[0].Value
		}
		c.Text = r.Text(value, what)
		if c.Compare == "" {
			c.Compare, c.Text = plainType(value)
		}
		if c.Compare == exists && c.Text != "true" {
			r.Fault(value.At, "%s: exists can only be true, not %q", what, c.Text)
		}
		if c.Numeric() && c.Text != "" {
			c.number = r.comparable(value, what+": "+c.Compare)
		}
		conditions = append(conditions, c)
	}
	return conditions
}

// comparable reads a number that an attribute can have.
func (r *Reader) comparable(n Node, what string) decimal.Decimal {
	number := r.Number(n, what)
	if coefficient := number.Coefficient(); !number.IsZero() && !change.IsNumber(fmt.Sprintf("%sE%d", coefficient, number.Exponent())) {
		r.Fault(n.At, "%s: DynamoDB holds no such number as %s, of at most 38 digits; write it in quotes to compare texts", what, n.Text)
	}
	return number
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

// plainType returns how a single value is compared, and its text. Only a value without quotes can be anything but a text.
func plainType(value Node) (compare, text string) {
	if !value.Plain {
		return "", value.Text
	}
	if truth := strings.ToLower(value.Text); truth == "true" || truth == "false" {
		return boolean, truth
	}
	if number, err := decimal.NewFromString(value.Text); err == nil && number.String() == value.Text {
		return "is", value.Text
	}
	return "", value.Text
}

// Example returns a value that meets the condition.
func (c Condition) Example() types.AttributeValue {
	one := decimal.NewFromInt(1)
	switch c.Compare {
	case exists:
		return &types.AttributeValueMemberS{Value: "any"}
	case boolean:
		return &types.AttributeValueMemberBOOL{Value: c.Text == "true"}
	case "above":
		return &types.AttributeValueMemberN{Value: c.number.Add(one).String()}
	case "below":
		return &types.AttributeValueMemberN{Value: c.number.Sub(one).String()}
	case "is", "atLeast", "atMost":
		return &types.AttributeValueMemberN{Value: c.number.String()}
	case prefix:
		return &types.AttributeValueMemberS{Value: c.Text + "1"}
	}
	return &types.AttributeValueMemberS{Value: c.Text}
}
