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
