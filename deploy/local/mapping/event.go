package mapping

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	kinesistypes "github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

const maxPayloadBytes = 6 << 20

const (
	eventPrefix = `{"Records":[`
	eventSuffix = `]}`
)

type record struct {
	sequence string
	key      string
	arrival  time.Time
	event    []byte // as it stands in the event's Records
	place    int64  // in the shard's progress
}

// source is what the records of one shard have in common in an event.
type source struct {
	shard, stream, region, role string
	bytes                       int // of a record's event that its key, its number and its data don't count to
}

func newSource(shard, streamARN, functionARN string) source {
	s := source{shard: shard, stream: streamARN}
	if parts := strings.Split(streamARN, ":"); len(parts) > 3 {
		s.region = parts[3]
	}
	if parts := strings.Split(functionARN, ":"); len(parts) > 6 {
		s.role = fmt.Sprintf("arn:%s:iam::%s:role/%s", parts[1], parts[4], parts[6])
	}
	s.bytes = len(s.appendEvent(nil, nil, "", nil, time.Time{}))
	return s
}

// encode makes a record as the function sees it: https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
func (s source) encode(r *kinesistypes.Record) record {
	arrival := time.Time{}
	if r.ApproximateArrivalTimestamp != nil {
		arrival = *r.ApproximateArrivalTimestamp
	}
	key := appendQuoted(nil, *r.PartitionKey)
	// Just the room that is needed: what is appended beyond it would be copied to an array of twice the size.
	event := make([]byte, 0, s.bytes+len(key)+2*len(*r.SequenceNumber)+base64.StdEncoding.EncodedLen(len(r.Data)))
	event = s.appendEvent(event, key, *r.SequenceNumber, r.Data, arrival)
	return record{sequence: *r.SequenceNumber, key: *r.PartitionKey, arrival: arrival, event: event}
}

func (s source) appendEvent(event, key []byte, sequence string, data []byte, arrival time.Time) []byte {
	millis := arrival.UnixMilli()
	event = append(event, `{"kinesis":{"kinesisSchemaVersion":"1.0","partitionKey":`...)
	event = append(event, key...)
	event = append(event, `,"sequenceNumber":`...)
	event = appendQuoted(event, sequence)
	event = append(event, `,"data":"`...)
	event = base64.StdEncoding.AppendEncode(event, data)
	event = fmt.Appendf(event, `","approximateArrivalTimestamp":%d.%03d}`, millis/1000, millis%1000)
	event = append(event, `,"eventSource":"aws:kinesis","eventVersion":"1.0","eventID":`...)
	event = appendQuoted(event, s.shard+":"+sequence)
	event = append(event, `,"eventName":"aws:kinesis:record","invokeIdentityArn":`...)
	event = appendQuoted(event, s.role)
	event = append(event, `,"awsRegion":`...)
	event = appendQuoted(event, s.region)
	event = append(event, `,"eventSourceARN":`...)
	return append(appendQuoted(event, s.stream), '}')
}

func appendQuoted(dst []byte, s string) []byte {
	quoted, _ := json.Marshal(s) // a string always can be
	return append(dst, quoted...)
}

func payload(records []record) []byte {
	size := len(eventPrefix) + len(eventSuffix)
	for _, r := range records {
		size += len(r.event) + 1
	}
	event := append(make([]byte, 0, size), eventPrefix...)
	for i, r := range records {
		if i > 0 {
			event = append(event, ',')
		}
		event = append(event, r.event...)
	}
	return append(event, eventSuffix...)
}
