package change

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// FromItem returns the change that an item read from its table stands for: an insert of the whole item at a time that the
// caller chooses. keys are the names of the table's key attributes. The error names what is no attribute.
func FromItem(table string, keys []string, item map[string]types.AttributeValue, at time.Time) (*Change, error) {
	key := make(map[string]types.AttributeValue, len(keys))
	for _, name := range keys {
		key[name] = item[name]
	}
	dst := append(make([]byte, 0, 1024), `{"eventName":"INSERT","tableName":`...)
	dst = AppendText(dst, table)
	dst = append(dst, `,"dynamodb":{"ApproximateCreationDateTimePrecision":"MICROSECOND","ApproximateCreationDateTime":`...)
	dst = strconv.AppendInt(dst, at.UnixMicro(), 10)
	dst = append(dst, `,"Keys":`...)
	dst, err := appendAttributes(dst, key)
	if err != nil {
		return nil, err
	}
	dst = append(dst, `,"NewImage":`...)
	if dst, err = appendAttributes(dst, item); err != nil {
		return nil, err
	}
	return Parse(append(dst, "}}"...))
}

// appendAttributes appends attributes in the record's form, sorted by name, so that an
// item always has the same one.
func appendAttributes(dst []byte, attributes map[string]types.AttributeValue) ([]byte, error) {
	dst = append(dst, '{')
	for i, name := range slices.Sorted(maps.Keys(attributes)) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(AppendText(dst, name), ':')
		var err error
		if dst, err = appendAttribute(dst, attributes[name]); err != nil {
			return dst, fmt.Errorf("%s: %w", name, err)
		}
	}
	return append(dst, '}'), nil
}

func appendAttribute(dst []byte, v types.AttributeValue) (_ []byte, err error) {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		dst = AppendText(append(dst, `{"S":`...), v.Value)
	case *types.AttributeValueMemberN:
		dst = AppendText(append(dst, `{"N":`...), v.Value)
	case *types.AttributeValueMemberB:
		dst = appendBinary(append(dst, `{"B":`...), v.Value)
	case *types.AttributeValueMemberBOOL:
		dst = strconv.AppendBool(append(dst, `{"BOOL":`...), v.Value)
	case *types.AttributeValueMemberNULL:
		dst = append(dst, `{"NULL":true`...)
	case *types.AttributeValueMemberM:
		dst, err = appendAttributes(append(dst, `{"M":`...), v.Value)
	case *types.AttributeValueMemberL:
		dst, err = appendMembers(append(dst, `{"L":`...), v.Value, appendAttribute)
	case *types.AttributeValueMemberSS:
		dst, err = appendMembers(append(dst, `{"SS":`...), v.Value, infallible(AppendText))
	case *types.AttributeValueMemberNS:
		dst, err = appendMembers(append(dst, `{"NS":`...), v.Value, infallible(AppendText))
	case *types.AttributeValueMemberBS:
		dst, err = appendMembers(append(dst, `{"BS":`...), v.Value, infallible(appendBinary))
	default:
		return dst, fmt.Errorf("%T is no attribute value", v)
	}
	return append(dst, '}'), err
}

func appendMembers[T any](dst []byte, members []T, appendMember func([]byte, T) ([]byte, error)) (_ []byte, err error) {
	dst = append(dst, '[')
	for i, member := range members {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = appendMember(dst, member); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), nil
}

func infallible[T any](appendMember func([]byte, T) []byte) func([]byte, T) ([]byte, error) {
	return func(dst []byte, member T) ([]byte, error) { return appendMember(dst, member), nil }
}

// appendBinary appends bytes as the stream has them, in base64 twice.
func appendBinary(dst, b []byte) []byte {
	dst = append(dst, '"')
	dst = base64.StdEncoding.AppendEncode(dst, base64.StdEncoding.AppendEncode(nil, b))
	return append(dst, '"')
}
