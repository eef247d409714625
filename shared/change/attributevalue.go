package change

import "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

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
