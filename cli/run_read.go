package cli

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"sluice/cli/verb"
	"sluice/shared/consumer"
	"sluice/shared/redrive"
)

// readPayloads reads the payloads of a file: the JSON values in it, one after the other, each a payload, a record of one, a
// change, a dead letter, or an array of these. What isn't in a payload makes one payload, at places of its own in the
// stream. With each, every record is a payload of its own.
func readPayloads(path, stream string, each bool) ([][]byte, error) {
	text, err := verb.ReadText(path)
	if err != nil {
		return nil, err
	}
	name := verb.InputName(path)
	r := recorded{stream: stream}
	values := json.NewDecoder(bytes.NewReader(text))
	for {
		var value json.RawMessage
		err := values.Decode(&value)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s is no JSON: %s", name, jsonFault(err))
		}
		if err := r.add(value); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		r.batch()
	}
	if len(r.batches) == 0 {
		return nil, fmt.Errorf("%s has no records", name)
	}
	var payloads [][]byte
	for _, events := range r.batches {
		size := len(events)
		if each {
			size = 1
		}
		for ; len(events) > 0; events = events[size:] {
			payload, err := redrive.Payload(events[:size])
			if err != nil {
				return nil, err
			}
			payloads = append(payloads, payload)
		}
	}
	return payloads, nil
}

// recorded collects the records of a file.
type recorded struct {
	stream  string
	loose   []json.RawMessage // that are in no payload
	batches [][]json.RawMessage
	made    int // places in the stream
}

// batch makes a batch of the records that are in no payload.
func (r *recorded) batch() {
	if len(r.loose) > 0 {
		r.batches, r.loose = append(r.batches, r.loose), nil
	}
}

// add adds a JSON value.
func (r *recorded) add(value json.RawMessage) error {
	if bytes.HasPrefix(value, []byte("[")) {
		var all []json.RawMessage
		if err := json.Unmarshal(value, &all); err != nil {
			return err
		}
		for i, one := range all {
			if err := r.add(one); err != nil {
				return fmt.Errorf("[%d]: %w", i, err)
			}
		}
		return nil
	}
	var shape struct {
		Records  []json.RawMessage
		Kinesis  json.RawMessage `json:"kinesis"`
		DynamoDB json.RawMessage `json:"dynamodb"`
		consumer.DeadLetter
	}
	if !bytes.HasPrefix(value, []byte("{")) {
		return errors.New("this is no payload, record, change or dead letter")
	}
	if err := json.Unmarshal(value, &shape); err != nil {
		return fmt.Errorf("this is no payload, record, change or dead letter: %s", jsonFault(err))
	}
	switch {
	case shape.Records != nil:
		r.batch()
		if len(shape.Records) > 0 {
			r.batches = append(r.batches, shape.Records)
		}
		return nil
	case shape.Kinesis != nil:
		r.loose = append(r.loose, value)
		return nil
	case shape.Body != nil:
		return fmt.Errorf("this dead letter's body is in S3; take that: aws s3 cp s3://%s/%s FILE", shape.Body.Bucket, shape.Body.Key)
	case shape.Consumer != "":
		return r.event(shape.Position, shape.Data)
	case shape.DynamoDB != nil:
		r.made++
		return r.event(consumer.Position{
			StreamARN: r.stream, ShardID: "shardId-000000000000", SequenceNumber: fmt.Sprintf("1%020d", r.made),
			PartitionKey: "sluice-run", Arrival: time.Now(),
		}, base64.StdEncoding.EncodeToString(value))
	}
	return errors.New("this is JSON, but no payload (Records), no record of one (kinesis), no change (dynamodb) and no dead letter (consumer)")
}

func (r *recorded) event(p consumer.Position, data string) error {
	event, err := redrive.Event(p, data)
	r.loose = append(r.loose, event)
	return err
}
