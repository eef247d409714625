package redrive

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"sluice/shared/consumer"
)

// maxPayloadBytes leaves room below the 6 MB that an invocation takes.
const maxPayloadBytes = 4 << 20

// place is where a record stands; sequence numbers repeat from shard to shard.
type place struct{ stream, shard, sequence string }

// record is one on its way to the function.
type record struct {
	place
	event json.RawMessage // as it stands in the payload's Records
}

// newRecord makes the record at a position.
func newRecord(p consumer.Position, data string) (record, error) {
	event, err := Event(p, data)
	return record{place{p.StreamARN, p.ShardID, p.SequenceNumber}, event}, err
}

// Event makes a record as Lambda hands it to a function, with its data as the stream carried it, in base64:
// https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
func Event(p consumer.Position, data string) (json.RawMessage, error) {
	millis := p.Arrival.UnixMilli()
	type kinesis struct {
		SchemaVersion  string          `json:"kinesisSchemaVersion"`
		PartitionKey   string          `json:"partitionKey"`
		SequenceNumber string          `json:"sequenceNumber"`
		Data           string          `json:"data"`
		Arrival        json.RawMessage `json:"approximateArrivalTimestamp"`
	}
	region := ""
	if parts := strings.Split(p.StreamARN, ":"); len(parts) > 3 {
		region = parts[3]
	}
	event, err := json.Marshal(struct {
		Kinesis           kinesis `json:"kinesis"`
		EventSource       string  `json:"eventSource"`
		EventVersion      string  `json:"eventVersion"`
		EventID           string  `json:"eventID"`
		EventName         string  `json:"eventName"`
		InvokeIdentityARN string  `json:"invokeIdentityArn"`
		Region            string  `json:"awsRegion"`
		SourceARN         string  `json:"eventSourceARN"`
	}{
		Kinesis: kinesis{
			SchemaVersion: "1.0", PartitionKey: p.PartitionKey, SequenceNumber: p.SequenceNumber, Data: data,
			Arrival: fmt.Appendf(nil, "%d.%03d", millis/1000, millis%1000),
		},
		EventSource: "aws:kinesis", EventVersion: "1.0", EventID: p.ShardID + ":" + p.SequenceNumber,
		EventName: "aws:kinesis:record", Region: region, SourceARN: p.StreamARN,
	})
	if err != nil {
		return nil, fmt.Errorf("write record %s: %w", p.SequenceNumber, err)
	}
	return event, nil
}

// recordOf returns the record of a dead letter that has its data.
func recordOf(l *consumer.DeadLetter) (record, error) {
	if _, err := base64.StdEncoding.DecodeString(l.Data); err != nil {
		return record{}, fmt.Errorf("its data is no base64: %w", err)
	}
	return newRecord(l.Position, l.Data)
}

// Payload returns what Lambda hands to a function for a batch of records, each as [Event] makes it.
func Payload(events []json.RawMessage) ([]byte, error) {
	return json.Marshal(struct{ Records []json.RawMessage }{events})
}
