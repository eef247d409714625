package consumertest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"
)

// Item is an item's attributes, or some of them: S, N and B make the values.
type Item map[string]Value

// Value is an attribute value as the stream writes it.
type Value map[string]any

// S is a string.
func S(s string) Value { return Value{"S": s} }

// N is a number, given as decimal text, which isn't checked.
func N(text string) Value { return Value{"N": text} }

// B is a binary value. The stream encodes it in base64 twice.
func B(b []byte) Value {
	once := base64.StdEncoding.EncodeToString(b)
	return Value{"B": base64.StdEncoding.EncodeToString([]byte(once))}
}

// Change is one change of an item. What kind it is follows from its images:
// without New it is a remove, without Old an insert, with both a modify.
type Change struct {
	Table        string
	Time         time.Time // precise to the microsecond
	Milliseconds bool      // write the time in milliseconds, as older streams do
	TTL          bool      // a remove by time to live
	Keys         Item
	New, Old     Item
}

// Record returns the change as the stream carries it.
func (c Change) Record() []byte {
	kind := "MODIFY"
	switch {
	case c.New == nil: // also without Old, which DynamoDB Local leaves out now and then
		kind = "REMOVE"
	case c.Old == nil:
		kind = "INSERT"
	}
	created, precision := c.Time.UnixMicro(), "MICROSECOND"
	if c.Milliseconds {
		created, precision = c.Time.UnixMilli(), "MILLISECOND"
	}
	data := map[string]any{
		"ApproximateCreationDateTime":          created,
		"ApproximateCreationDateTimePrecision": precision,
		"Keys":                                 c.Keys,
		"SizeBytes":                            1,
	}
	if c.New != nil {
		data["NewImage"] = c.New
	}
	if c.Old != nil {
		data["OldImage"] = c.Old
	}
	record := map[string]any{
		"awsRegion":    "us-east-1",
		"eventID":      fmt.Sprintf("00000000-0000-4000-8000-%012d", created%1e12),
		"eventName":    kind,
		"userIdentity": nil,
		"recordFormat": "application/json",
		"tableName":    c.Table,
		"dynamodb":     data,
		"eventSource":  "aws:dynamodb",
	}
	if c.TTL {
		record["userIdentity"] = map[string]string{"type": "Service", "principalId": "dynamodb.amazonaws.com"}
	}
	return mustMarshal(record)
}

// Payload returns what Lambda hands to a function for a batch of records, in
// the order given. first is the sequence number of the first one; the others
// follow it.
func Payload(first int, records ...[]byte) []byte { return PayloadAt(Arrival, first, records...) }

// PayloadAt returns the Payload of records that arrived at a certain time, for functions
// that use the system's clock: they give up what arrived too long ago.
func PayloadAt(arrival time.Time, first int, records ...[]byte) []byte {
	const shard = "shardId-000000000000"
	type kinesisData struct {
		SchemaVersion  string  `json:"kinesisSchemaVersion"`
		PartitionKey   string  `json:"partitionKey"`
		SequenceNumber string  `json:"sequenceNumber"`
		Data           []byte  `json:"data"`
		Arrival        float64 `json:"approximateArrivalTimestamp"`
	}
	type record struct {
		Kinesis     kinesisData `json:"kinesis"`
		EventSource string      `json:"eventSource"`
		EventID     string      `json:"eventID"`
		EventName   string      `json:"eventName"`
		Region      string      `json:"awsRegion"`
		SourceARN   string      `json:"eventSourceARN"`
	}
	list := make([]record, len(records))
	for i, data := range records {
		number := SequenceNumber(first + i)
		list[i] = record{
			Kinesis: kinesisData{
				SchemaVersion:  "1.0",
				PartitionKey:   fmt.Sprintf("%032X", first+i),
				SequenceNumber: number,
				Data:           data,
				Arrival:        float64(arrival.UnixMilli()) / 1e3,
			},
			EventSource: "aws:kinesis",
			EventID:     shard + ":" + number,
			EventName:   "aws:kinesis:record",
			Region:      "us-east-1",
			SourceARN:   "arn:aws:kinesis:us-east-1:000000000000:stream/changes",
		}
	}
	return mustMarshal(map[string]any{"Records": list})
}

// Arrival is when every record of a Payload arrived in the stream.
var Arrival = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// SequenceNumber returns the n-th sequence number, as long as real ones are.
func SequenceNumber(n int) string { return fmt.Sprintf("496%053d", n) }

func mustMarshal(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("consumertest: %v can't be written: %v", v, err))
	}
	return text
}
