package mapping

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	kinesistypes "github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// filter is the patterns of FilterCriteria, of which a record must match one:
// https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis-filtering.html
type filter []pattern

// newFilter reads the patterns. It refuses those that Lambda would refuse or that are not emulated.
func newFilter(patterns []string) (filter, error) {
	var f filter
	for i, text := range patterns {
		p, err := newPattern(text)
		if err != nil {
			return nil, fmt.Errorf("filter pattern %d, %s: %w", i, text, err)
		}
		f = append(f, p)
	}
	return f, nil
}

// verdict on a record.
type verdict int

const (
	matched verdict = iota
	dropped
	notJSON // dropped because a pattern looks into data that is not a JSON object
)

// judge tells whether the record reaches the function. Without patterns every record does.
func (f filter) judge(r *kinesistypes.Record) verdict {
	if len(f) == 0 {
		return matched
	}
	event := map[string]any{
		"kinesisSchemaVersion": "1.0",
		"partitionKey":         *r.PartitionKey,
		"sequenceNumber":       *r.SequenceNumber,
	}
	if r.ApproximateArrivalTimestamp != nil {
		event["approximateArrivalTimestamp"] = json.Number(fmt.Sprintf("%.3f", float64(r.ApproximateArrivalTimestamp.UnixMilli())/1000))
	}
	data, err := parse(r.Data)
	object, isObject := data.(map[string]any)
	readable := err == nil && isObject
	if readable {
		event["data"] = object
	}
	needed := false
	for _, p := range f {
		if _, looksIntoData := p.fields["data"]; looksIntoData && !readable {
			needed = true
			continue // "Non-JSON data, JSON pattern: Lambda drops the record"
		}
		if p.matches(event) {
			return matched
		}
	}
	if needed {
		return notJSON
	}
	return dropped
}

// parse reads exactly one JSON value, its numbers as text.
func parse(text []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value")
	}
	return value, nil
}
