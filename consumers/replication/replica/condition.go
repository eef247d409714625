package replica

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/consumers/replication/mark"
)

// expectation is a condition on an item that is written, for DynamoDB.
type expectation struct {
	text   string
	names  map[string]string
	values Item
}

// condition is what an item has to be like for a write to go through, in marks.
type condition struct {
	present bool   // there is one
	marked  bool   // it has a mark
	state   *State // its mark, base and deleting are these
	// limit: its mark isn't newer, if it has one; nil: it doesn't matter.
	limit *mark.Mark
}

// upTo is the condition that there is nothing newer.
func upTo(limit mark.Mark) condition { return condition{limit: &limit} }

// exactly is the condition that nothing but data has changed.
func exactly(s State) condition { return condition{present: true, state: &s} }

// of returns the expectation that the condition holds; key has the item's key
// attributes.
func (c condition) of(key Item) expectation {
	e := expectation{names: map[string]string{}}
	var parts []string
	and := func(part string) { parts = append(parts, part) }
	use := func(name string, value types.AttributeValue) {
		if e.values == nil {
			e.values = Item{}
		}
		e.values[name] = value
	}
	field := func(name, is string) string {
		e.names["#sluice"], e.names[name] = mark.Attribute, is
		return "#sluice." + name
	}
	if c.present {
		e.names["#key"] = firstName(key)
		and("attribute_exists(#key)")
	}
	switch {
	case c.state != nil && c.state.Mark == "":
		and("attribute_not_exists(" + field("#mark", mark.Field) + ")")
	case c.state != nil:
		and(field("#mark", mark.Field) + " = :mark")
		use(":mark", c.state.Mark.Value())
		if c.state.Base == "" {
			and("attribute_not_exists(" + field("#base", baseField) + ")")
		} else {
			and(field("#base", baseField) + " = :base")
			use(":base", &types.AttributeValueMemberB{Value: []byte(c.state.Base)})
		}
		exists := "attribute_not_exists("
		if c.state.Deleting {
			exists = "attribute_exists("
		}
		and(exists + field("#deleting", deletingField) + ")")
	case c.limit != nil:
		older := field("#mark", mark.Field) + " <= :limit"
		if !c.marked {
			older = "(attribute_not_exists(#sluice.#mark) OR " + older + ")"
		}
		and(older)
		use(":limit", c.limit.Value())
	}
	e.text = strings.Join(parts, " AND ")
	return e
}
