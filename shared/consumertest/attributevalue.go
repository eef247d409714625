package consumertest

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/shared/change"
)

// AttributeValues returns the item as the SDK has it, to write it into a table.
// An item that the stream couldn't carry panics.
func (i Item) AttributeValues() map[string]types.AttributeValue {
	c, err := change.Parse(Change{Table: "T", Keys: Item{"k": S("k")}, New: i, Time: Arrival}.Record())
	if err != nil {
		panic(fmt.Sprintf("consumertest: %v is no item: %v", i, err))
	}
	return c.New.AttributeValues()
}

// ItemOf returns an item of the SDK's values as the stream writes it. Sets, which no test needs so far, make it panic.
func ItemOf(item map[string]types.AttributeValue) Item {
	found := Item{}
	for name, v := range item {
		found[name] = valueOf(v)
	}
	return found
}

func valueOf(v types.AttributeValue) Value {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return S(v.Value)
	case *types.AttributeValueMemberN:
		return N(v.Value)
	case *types.AttributeValueMemberB:
		return B(v.Value)
	case *types.AttributeValueMemberBOOL:
		return Value{"BOOL": v.Value}
	case *types.AttributeValueMemberNULL:
		return Value{"NULL": v.Value}
	case *types.AttributeValueMemberM:
		return Value{"M": ItemOf(v.Value)}
	case *types.AttributeValueMemberL:
		list := make([]Value, len(v.Value))
		for i, member := range v.Value {
			list[i] = valueOf(member)
		}
		return Value{"L": list}
	}
	panic(fmt.Sprintf("consumertest: %T isn't written here", v))
}
