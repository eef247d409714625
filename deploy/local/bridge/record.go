package bridge

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// envelope is what a record has beside the change that DynamoDB Streams tells of.
type envelope struct {
	region    string
	table     string
	eventID   string
	micros    int64 // creation time, since 1970
	precision Precision
}

// appendRecord appends a change as Kinesis Data Streams for DynamoDB writes it, which differs from a record of DynamoDB Streams.
func appendRecord(dst []byte, e envelope, r *streamtypes.Record) ([]byte, error) {
	change := r.Dynamodb
	dst = append(dst, `{"awsRegion":`...)
	dst = appendString(dst, e.region)
	dst = append(dst, `,"eventID":`...)
	dst = appendString(dst, e.eventID)
	dst = append(dst, `,"eventName":`...)
	dst = appendString(dst, string(r.EventName))
	dst = append(dst, `,"userIdentity":`...)
	dst = appendIdentity(dst, r.UserIdentity)
	dst = append(dst, `,"recordFormat":"application/json","tableName":`...)
	dst = appendString(dst, e.table)

	dst = append(dst, `,"dynamodb":{"ApproximateCreationDateTime":`...)
	time := e.micros
	if e.precision != Microsecond {
		time /= 1000
	}
	dst = strconv.AppendInt(dst, time, 10)
	var err error
	for _, image := range []struct {
		name  string
		value map[string]streamtypes.AttributeValue
	}{{"Keys", change.Keys}, {"NewImage", change.NewImage}, {"OldImage", change.OldImage}} {
		if image.value == nil {
			continue
		}
		dst = append(dst, `,"`+image.name+`":`...)
		if dst, err = appendImage(dst, image.value); err != nil {
			return nil, fmt.Errorf("%s: %w", image.name, err)
		}
	}
	if change.SizeBytes != nil {
		dst = append(dst, `,"SizeBytes":`...)
		dst = strconv.AppendInt(dst, *change.SizeBytes, 10)
	}
	if e.precision != UnstatedMillisecond {
		dst = append(dst, `,"ApproximateCreationDateTimePrecision":`...)
		dst = appendString(dst, string(e.precision))
	}
	return append(dst, `},"eventSource":"aws:dynamodb"}`...), nil
}

// appendIdentity appends who made the change: null for users, DynamoDB itself for a delete by TTL.
func appendIdentity(dst []byte, id *streamtypes.Identity) []byte {
	if id == nil {
		return append(dst, "null"...)
	}
	dst = append(dst, `{"type":`...)
	dst = appendString(dst, aws.ToString(id.Type))
	dst = append(dst, `,"principalId":`...)
	dst = appendString(dst, aws.ToString(id.PrincipalId))
	return append(dst, '}')
}

// appendImage appends a map of attributes, sorted by name: AWS promises no order, and sorted the bytes are always the same.
func appendImage(dst []byte, image map[string]streamtypes.AttributeValue) ([]byte, error) {
	dst = append(dst, '{')
	for i, name := range slices.Sorted(maps.Keys(image)) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, name), ':')
		var err error
		if dst, err = appendValue(dst, image[name]); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return append(dst, '}'), nil
}

func appendValue(dst []byte, value streamtypes.AttributeValue) ([]byte, error) {
	var err error
	switch v := value.(type) {
	case *streamtypes.AttributeValueMemberS:
		dst = appendString(append(dst, `{"S":`...), v.Value)
	case *streamtypes.AttributeValueMemberN:
		dst = appendString(append(dst, `{"N":`...), v.Value)
	case *streamtypes.AttributeValueMemberB:
		dst = appendBinary(append(dst, `{"B":`...), v.Value)
	case *streamtypes.AttributeValueMemberBOOL:
		dst = strconv.AppendBool(append(dst, `{"BOOL":`...), v.Value)
	case *streamtypes.AttributeValueMemberNULL:
		dst = strconv.AppendBool(append(dst, `{"NULL":`...), v.Value)
	case *streamtypes.AttributeValueMemberSS:
		dst = appendList(append(dst, `{"SS":`...), v.Value, appendString)
	case *streamtypes.AttributeValueMemberNS:
		dst = appendList(append(dst, `{"NS":`...), v.Value, appendString)
	case *streamtypes.AttributeValueMemberBS:
		dst = appendList(append(dst, `{"BS":`...), v.Value, appendBinary)
	case *streamtypes.AttributeValueMemberM:
		dst, err = appendImage(append(dst, `{"M":`...), v.Value)
	case *streamtypes.AttributeValueMemberL:
		dst = appendList(append(dst, `{"L":`...), v.Value, func(dst []byte, element streamtypes.AttributeValue) []byte {
			if err == nil {
				dst, err = appendValue(dst, element)
			}
			return dst
		})
	default:
		err = fmt.Errorf("attribute type %T is not one of the ten that DynamoDB has", value)
	}
	return append(dst, '}'), err
}

func appendList[E any](dst []byte, elements []E, appendElement func([]byte, E) []byte) []byte {
	dst = append(dst, '[')
	for i, e := range elements {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendElement(dst, e)
	}
	return append(dst, ']')
}

// appendBinary encodes twice, as AWS does: "these encoded binary values are encoded with base64-encoding a second time".
func appendBinary(dst []byte, value []byte) []byte {
	once := base64.StdEncoding.AppendEncode(nil, value)
	dst = base64.StdEncoding.AppendEncode(append(dst, '"'), once)
	return append(dst, '"')
}

// appendString appends s quoted, escaping only what JSON demands.
func appendString(dst []byte, s string) []byte {
	const short = "\b\f\n\r\t\"\\"
	const letters = `bfnrt"\`
	dst = append(dst, '"')
	for i := range len(s) {
		c := s[i]
		if at := strings.IndexByte(short, c); at >= 0 {
			dst = append(dst, '\\', letters[at])
		} else if c < ' ' {
			dst = fmt.Appendf(dst, `\u%04X`, c)
		} else {
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}

// partitionKey is that of all changes of one item: 32 upper-case hex digits as on AWS, which documents no rule for them.
func partitionKey(table string, keys map[string]streamtypes.AttributeValue) (string, error) {
	item, err := appendImage(appendString(nil, table), keys)
	if err != nil {
		return "", fmt.Errorf("keys: %w", err)
	}
	sum := md5.Sum(item)
	return strings.ToUpper(hex.EncodeToString(sum[:])), nil
}
