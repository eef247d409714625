package bridge

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"sluice/shared/consumertest/golden"
)

type (
	image = map[string]streamtypes.AttributeValue
	s     = streamtypes.AttributeValueMemberS
	n     = streamtypes.AttributeValueMemberN
	bin   = streamtypes.AttributeValueMemberB
	boo   = streamtypes.AttributeValueMemberBOOL
	null  = streamtypes.AttributeValueMemberNULL
	ss    = streamtypes.AttributeValueMemberSS
	ns    = streamtypes.AttributeValueMemberNS
	bs    = streamtypes.AttributeValueMemberBS
	m     = streamtypes.AttributeValueMemberM
	l     = streamtypes.AttributeValueMemberL
)

var (
	keys   = image{"device": &s{Value: "foo"}, "timestamp": &s{Value: "2024-07-12T01:17:42"}}
	before = image{"device": keys["device"], "timestamp": keys["timestamp"], "humidity": &n{Value: "84.83"}}
	after  = image{"device": keys["device"], "timestamp": keys["timestamp"], "humidity": &n{Value: "84.84"}}
	// 12 02 08 7b is the value of a real record whose bytes have been published: it stands there as RWdJSWV3PT0=.
	published = []byte{0x12, 0x02, 0x08, 0x7b}
)

// TestAppendRecord holds the records to golden files, byte by byte. They follow records that AWS wrote.
func TestAppendRecord(t *testing.T) {
	micros := envelope{
		region: "us-east-1", table: "table-testdrive", eventID: "b015b5f0-c095-4b50-8ad0-4279aa3d88c6",
		micros: 1720740233012995, precision: Microsecond,
	}
	millis, unstated := micros, micros
	millis.precision, unstated.precision = Millisecond, UnstatedMillisecond
	allTypes := image{
		"device": keys["device"], "timestamp": keys["timestamp"],
		"string": &s{Value: "Zoë said \"</p>\" \\ / \t\n\x01\u2028 \U0001F600"}, "empty": &s{},
		"number": &n{Value: "-1.2345678901234567890123456789012345678E-125"}, "long": &n{Value: "12345678901234567890123456789012345678"},
		"binary": &bin{Value: published}, "emptyBinary": &bin{Value: []byte{}},
		"true": &boo{Value: true}, "false": &boo{Value: false}, "null": &null{Value: true},
		"strings": &ss{Value: []string{"a", "b"}}, "numbers": &ns{Value: []string{"1", "2.50"}}, "binaries": &bs{Value: [][]byte{published, []byte("1321")}},
		"map":  &m{Value: image{"b": &m{Value: image{"deep": &bin{Value: published}}}, "a": &s{Value: "x"}, "": &m{Value: image{}}}},
		"list": &l{Value: []streamtypes.AttributeValue{&s{Value: "x"}, &l{}, &bin{Value: published}, &null{Value: true}}},
	}
	tests := []struct {
		golden   string
		envelope envelope
		record   streamtypes.Record
	}{
		{"insert", micros, streamtypes.Record{EventName: streamtypes.OperationTypeInsert, Dynamodb: &streamtypes.StreamRecord{Keys: keys, NewImage: after, SizeBytes: aws.Int64(99)}}},
		{"modify", micros, streamtypes.Record{EventName: streamtypes.OperationTypeModify, Dynamodb: &streamtypes.StreamRecord{Keys: keys, NewImage: after, OldImage: before, SizeBytes: aws.Int64(150)}}},
		{"remove", micros, streamtypes.Record{EventName: streamtypes.OperationTypeRemove, Dynamodb: &streamtypes.StreamRecord{Keys: keys, OldImage: before, SizeBytes: aws.Int64(99)}}},
		{"remove_ttl", micros, streamtypes.Record{
			EventName:    streamtypes.OperationTypeRemove,
			UserIdentity: &streamtypes.Identity{Type: aws.String("Service"), PrincipalId: aws.String("dynamodb.amazonaws.com")},
			Dynamodb:     &streamtypes.StreamRecord{Keys: keys, OldImage: before, SizeBytes: aws.Int64(99)},
		}},
		{"insert_all_types", micros, streamtypes.Record{EventName: streamtypes.OperationTypeInsert, Dynamodb: &streamtypes.StreamRecord{Keys: keys, NewImage: allTypes, SizeBytes: aws.Int64(512)}}},
		{"insert_binary_key", micros, streamtypes.Record{EventName: streamtypes.OperationTypeInsert, Dynamodb: &streamtypes.StreamRecord{
			Keys: image{"id": &bin{Value: published}, "at": &n{Value: "7"}}, NewImage: image{"id": &bin{Value: published}, "at": &n{Value: "7"}}, SizeBytes: aws.Int64(11),
		}}},
		{"modify_millisecond", millis, streamtypes.Record{EventName: streamtypes.OperationTypeModify, Dynamodb: &streamtypes.StreamRecord{Keys: keys, NewImage: after, OldImage: before, SizeBytes: aws.Int64(150)}}},
		{"modify_millisecond_unstated", unstated, streamtypes.Record{EventName: streamtypes.OperationTypeModify, Dynamodb: &streamtypes.StreamRecord{Keys: keys, NewImage: after, OldImage: before, SizeBytes: aws.Int64(150)}}},
		{"insert_without_size", micros, streamtypes.Record{EventName: streamtypes.OperationTypeInsert, Dynamodb: &streamtypes.StreamRecord{Keys: keys, NewImage: after}}},
	}
	for _, test := range tests {
		t.Run(test.golden, func(t *testing.T) {
			got, err := appendRecord([]byte("before "), test.envelope, &test.record)
			if err != nil {
				t.Fatal(err)
			}
			got, found := bytes.CutPrefix(got, []byte("before "))
			if !found {
				t.Fatalf("what stood there before is gone: %s", got)
			}
			golden.Compare(t, filepath.Join("testdata", test.golden+".json"), string(got)+"\n")
			if !json.Valid(got) {
				t.Errorf("not JSON: %s", got)
			}
		})
	}
}

func TestAppendRecordRefusesUnknownTypes(t *testing.T) {
	for name, value := range map[string]streamtypes.AttributeValue{
		"unknown":        &streamtypes.UnknownUnionMember{Tag: "X"},
		"missing":        nil,
		"within a list":  &l{Value: []streamtypes.AttributeValue{nil, &s{Value: "x"}}},
		"within a map":   &m{Value: image{"a": nil, "b": &s{}}},
		"within its map": &m{Value: image{"m": &m{Value: image{"a": nil}}}},
	} {
		record := streamtypes.Record{Dynamodb: &streamtypes.StreamRecord{Keys: keys, NewImage: image{"x": value}}}
		if got, err := appendRecord(nil, envelope{}, &record); err == nil {
			t.Errorf("%s: no error, but the record %s", name, got)
		}
	}
}

func TestPartitionKey(t *testing.T) {
	seen := map[string]string{}
	for name, item := range map[string]struct {
		table string
		keys  image
	}{
		"one item":          {"scores", image{"id": &s{Value: "1"}}},
		"another table":     {"scores2", image{"id": &s{Value: "1"}}},
		"another value":     {"scores", image{"id": &s{Value: "2"}}},
		"another type":      {"scores", image{"id": &n{Value: "1"}}},
		"with a sort key":   {"scores", image{"id": &s{Value: "1"}, "at": &s{Value: "2"}}},
		"exchanged with it": {"scores", image{"id": &s{Value: "2"}, "at": &s{Value: "1"}}},
	} {
		key, err := partitionKey(item.table, item.keys)
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`^[0-9A-F]{32}$`).MatchString(key) {
			t.Errorf("%s: partition key %q is not 32 upper-case hex digits", name, key)
		}
		if other, same := seen[key]; same {
			t.Errorf("%s has the partition key of %s", name, other)
		}
		seen[key] = name
		if again, _ := partitionKey(item.table, item.keys); again != key {
			t.Errorf("%s: partition key %q, then %q", name, key, again)
		}
	}
}
