package lastwriter

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/consumers/replication/internal/store"
	"sluice/consumers/replication/mark"
)

// markCondition is what an item has to be like for a write to go through, in marks.
type markCondition struct {
	present bool       // there is one
	marked  bool       // it has a mark
	state   *itemState // its mark, base and deleting are these
	// limit: its mark isn't newer, if it has one; nil: it doesn't matter.
	limit *mark.Mark
}

// upTo is the condition that there is nothing newer.
func upTo(limit mark.Mark) markCondition { return markCondition{limit: &limit} }

// exactly is the condition that nothing but data has changed.
func exactly(s itemState) markCondition { return markCondition{present: true, state: &s} }

// of returns the condition in DynamoDB's language; key has the item's key
// attributes.
func (c markCondition) of(key store.Item) store.Condition {
	e := store.Condition{Names: map[string]string{}}
	var parts []string
	and := func(part string) { parts = append(parts, part) }
	use := func(name string, value types.AttributeValue) {
		if e.Values == nil {
			e.Values = store.Item{}
		}
		e.Values[name] = value
	}
	field := func(name, is string) string {
		e.Names["#sluice"], e.Names[name] = mark.Attribute, is
		return "#sluice." + name
	}
	if c.present {
		e.Names["#key"] = store.KeyName(key)
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
	e.Text = strings.Join(parts, " AND ")
	return e
}
