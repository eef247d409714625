package view

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/shared/probe"
)

// ProbeKey returns a key that an item of the view's table could have, and none has.
func (v *View) ProbeKey() map[string]types.AttributeValue {
	key := map[string]types.AttributeValue{}
	for attribute, made := range v.key {
		key[attribute] = &types.AttributeValueMemberS{Value: probe.Text}
		if made.number {
			key[attribute] = &types.AttributeValueMemberN{Value: "0"}
		}
	}
	return key
}
