package replication

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/consumers/replication/replica"
)

// sameItem tells whether two items that tables hold are the same. The order of a
// set's members doesn't count; numbers have one form, since DynamoDB wrote both.
func sameItem(a, b replica.Item) bool { return maps.EqualFunc(a, b, sameValue) }

func sameValue(a, b types.AttributeValue) bool {
	switch a := a.(type) {
	case *types.AttributeValueMemberS:
		b, ok := b.(*types.AttributeValueMemberS)
		return ok && a.Value == b.Value
	case *types.AttributeValueMemberN:
		b, ok := b.(*types.AttributeValueMemberN)
		return ok && a.Value == b.Value
	case *types.AttributeValueMemberB:
		b, ok := b.(*types.AttributeValueMemberB)
		return ok && bytes.Equal(a.Value, b.Value)
	case *types.AttributeValueMemberBOOL:
		b, ok := b.(*types.AttributeValueMemberBOOL)
		return ok && a.Value == b.Value
	case *types.AttributeValueMemberNULL:
		_, ok := b.(*types.AttributeValueMemberNULL)
		return ok
	case *types.AttributeValueMemberSS:
		b, ok := b.(*types.AttributeValueMemberSS)
		return ok && slices.Equal(slices.Sorted(slices.Values(a.Value)), slices.Sorted(slices.Values(b.Value)))
	case *types.AttributeValueMemberNS:
		b, ok := b.(*types.AttributeValueMemberNS)
		return ok && slices.Equal(slices.Sorted(slices.Values(a.Value)), slices.Sorted(slices.Values(b.Value)))
	case *types.AttributeValueMemberBS:
		b, ok := b.(*types.AttributeValueMemberBS)
		return ok && slices.EqualFunc(slices.SortedFunc(slices.Values(a.Value), bytes.Compare), slices.SortedFunc(slices.Values(b.Value), bytes.Compare), bytes.Equal)
	case *types.AttributeValueMemberL:
		b, ok := b.(*types.AttributeValueMemberL)
		return ok && slices.EqualFunc(a.Value, b.Value, sameValue)
	case *types.AttributeValueMemberM:
		b, ok := b.(*types.AttributeValueMemberM)
		return ok && sameItem(a.Value, b.Value)
	}
	return false
}

// keyText writes a key for people: "Timestamp 2026-01-02, UserId ann".
func keyText(key replica.Item) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(key)) {
		text := "?"
		switch v := key[name].(type) {
		case *types.AttributeValueMemberS:
			text = v.Value
		case *types.AttributeValueMemberN:
			text = v.Value
		case *types.AttributeValueMemberB:
			text = fmt.Sprintf("%x", v.Value)
		}
		parts = append(parts, name+" "+text)
	}
	return strings.Join(parts, ", ")
}
