package change

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// TextOf returns the text of a string; empty for any other type, and for an attribute that is absent.
func TextOf(v types.AttributeValue) string {
	if s, ok := v.(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

// ItemKey is Change.ItemKey for an item whose key attributes are the SDK's values, as a table's own answers have them.
func ItemKey(table string, keys map[string]types.AttributeValue) (string, error) {
	var attributes []keyAttribute
	for name, v := range keys {
		k := keyAttribute{name: name}
		switch v := v.(type) {
		case *types.AttributeValueMemberS:
			k.typ, k.value = S, []byte(v.Value)
		case *types.AttributeValueMemberN:
			k.typ, k.value = N, []byte(v.Value)
		case *types.AttributeValueMemberB:
			k.typ, k.value = B, v.Value
		default:
			return "", fmt.Errorf("attribute %s of type %T can be no key", name, v)
		}
		attributes = append(attributes, k)
	}
	if n := len(attributes); n < 1 || n > 2 {
		return "", fmt.Errorf("an item of table %s has one or two key attributes, not %d", table, n)
	}
	return string(appendItemKey(nil, table, attributes)), nil
}

// ItemHash is Image.Hash for an item whose attributes are the SDK's values: what a table holds has the hash of its image.
// A type that is none of DynamoDB's counts as absent.
func ItemHash(item map[string]types.AttributeValue) uint64 {
	text, err := appendAttributes(nil, item)
	p := parser{scanner: scanner{b: text}}
	if err != nil || !p.members() {
		return Image{}.Hash()
	}
	return Value{&arena{data: text, nodes: p.nodes}, 0}.hash()
}

// AttributeValues returns the attributes as the SDK's values, nil for an absent image. Nothing but strings and bytes is shared
// with the image; the bytes must not be changed.
func (m Image) AttributeValues() map[string]types.AttributeValue {
	if !m.Exists() {
		return nil
	}
	return m.v.attributes()
}

func (v Value) attributes() map[string]types.AttributeValue {
	out := make(map[string]types.AttributeValue, v.Len())
	for name, member := range v.Map() {
		out[name] = member.AttributeValue()
	}
	return out
}

// AttributeValue returns the value as the SDK's, nil for the zero Value.
func (v Value) AttributeValue() types.AttributeValue {
	switch v.Type() {
	case S:
		return &types.AttributeValueMemberS{Value: v.Text()}
	case N:
		return &types.AttributeValueMemberN{Value: v.Text()}
	case B:
		return &types.AttributeValueMemberB{Value: v.Bytes()}
	case BOOL:
		return &types.AttributeValueMemberBOOL{Value: v.Bool()}
	case NULL:
		return &types.AttributeValueMemberNULL{Value: true}
	case M:
		return &types.AttributeValueMemberM{Value: v.attributes()}
	case L:
		return &types.AttributeValueMemberL{Value: members(v, Value.AttributeValue)}
	case SS:
		return &types.AttributeValueMemberSS{Value: members(v, Value.Text)}
	case NS:
		return &types.AttributeValueMemberNS{Value: members(v, Value.Text)}
	case BS:
		return &types.AttributeValueMemberBS{Value: members(v, Value.Bytes)}
	}
	return nil
}

func members[T any](v Value, convert func(Value) T) []T {
	out := make([]T, 0, v.Len())
	for member := range v.List() {
		out = append(out, convert(member))
	}
	return out
}
