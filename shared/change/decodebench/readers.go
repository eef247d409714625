package main

import (
	"encoding/base64"
	"encoding/json"

	"github.com/aws/aws-lambda-go/events"

	"sluice/shared/change"
)

// A reader decodes a payload and reads from every change what it is there for. The checksum shows that two readers have read the same.
type reader func(payload []byte) (checksum int, err error)

// wanted are the attributes that a consumer of the corpus needs, besides the keys.
var wanted = map[string][]string{"small": {"Value"}, "rich": {"name", "weightKg"}}

// ours returns the readers of this project: one of the keys and wanted attributes, one of every value of every image.
func ours(corpus string) (needed, full reader) {
	d := new(change.Decoder)
	each := func(payload []byte, read func(*change.Change) int) (int, error) {
		records, err := d.Decode(payload)
		sum := 0
		for i := range records {
			if err := records[i].Err; err != nil {
				return 0, err
			}
			sum += int(records[i].Change.Version&0xffff) + read(records[i].Change)
		}
		return sum, err
	}
	names := wanted[corpus]
	needed = func(payload []byte) (int, error) {
		return each(payload, func(c *change.Change) int {
			sum := ourImage(c.Keys)
			for _, name := range names {
				for _, image := range [2]change.Image{c.New, c.Old} {
					if v, ok := image.Get(name); ok {
						sum += textSum(v.Text())
					}
				}
			}
			return sum
		})
	}
	full = func(payload []byte) (int, error) {
		return each(payload, func(c *change.Change) int { return ourImage(c.Keys) + ourImage(c.New) + ourImage(c.Old) })
	}
	return needed, full
}

func ourImage(m change.Image) (sum int) {
	for name, v := range m.All() {
		sum += textSum(name) + ourValue(v)
	}
	return sum
}

func ourValue(v change.Value) (sum int) {
	switch v.Type() {
	case change.S, change.N:
		return textSum(v.Text())
	case change.B:
		return textSum(v.Bytes())
	case change.BOOL:
		if v.Bool() {
			return 1
		}
	case change.M:
		for name, member := range v.Map() {
			sum += textSum(name) + ourValue(member)
		}
	case change.L, change.SS:
		for member := range v.List() {
			sum += ourValue(member)
		}
	}
	return sum
}

// textSum touches what was read: its length and both ends.
func textSum[T string | []byte](s T) int {
	if len(s) == 0 {
		return 1
	}
	return len(s) + int(s[0]) + int(s[len(s)-1])
}

// libraryRecord is the record with the library's attribute values. Its own events.DynamoDBEventRecord cannot be measured: it takes
// the creation time for seconds, and has no table.
type libraryRecord struct {
	AWSRegion    string                       `json:"awsRegion"`
	EventID      string                       `json:"eventID"`
	EventName    string                       `json:"eventName"`
	TableName    string                       `json:"tableName"`
	UserIdentity *events.DynamoDBUserIdentity `json:"userIdentity"`
	Change       struct {
		ApproximateCreationDateTime          int64
		ApproximateCreationDateTimePrecision string
		Keys, NewImage, OldImage             map[string]events.DynamoDBAttributeValue
		SizeBytes                            int64
	} `json:"dynamodb"`
}

// library returns the same readers on aws-lambda-go's types and encoding/json.
func library(corpus string) (needed, full reader) {
	each := func(payload []byte, read func(*libraryRecord) int) (sum int, err error) {
		var event events.KinesisEvent
		if err := json.Unmarshal(payload, &event); err != nil {
			return 0, err
		}
		records := make([]libraryRecord, len(event.Records))
		for i := range event.Records {
			if err := json.Unmarshal(event.Records[i].Kinesis.Data, &records[i]); err != nil {
				return 0, err
			}
		}
		for i := range records {
			sum += int(records[i].Change.ApproximateCreationDateTime&0xffff) + read(&records[i])
		}
		return sum, nil
	}
	names := wanted[corpus]
	needed = func(payload []byte) (int, error) {
		return each(payload, func(r *libraryRecord) int {
			sum := libraryImage(r.Change.Keys)
			for _, name := range names {
				for _, image := range []map[string]events.DynamoDBAttributeValue{r.Change.NewImage, r.Change.OldImage} {
					if v, ok := image[name]; ok {
						sum += libraryValue(v)
					}
				}
			}
			return sum
		})
	}
	full = func(payload []byte) (int, error) {
		return each(payload, func(r *libraryRecord) int {
			return libraryImage(r.Change.Keys) + libraryImage(r.Change.NewImage) + libraryImage(r.Change.OldImage)
		})
	}
	return needed, full
}

func libraryImage(m map[string]events.DynamoDBAttributeValue) (sum int) {
	for name, v := range m {
		sum += textSum(name) + libraryValue(v)
	}
	return sum
}

func libraryValue(v events.DynamoDBAttributeValue) (sum int) {
	switch v.DataType() {
	case events.DataTypeString:
		return textSum(v.String())
	case events.DataTypeNumber:
		return textSum(v.Number())
	case events.DataTypeBinary:
		// The library decodes once; the stream encodes twice.
		b, err := base64.StdEncoding.DecodeString(string(v.Binary()))
		if err != nil {
			panic(err) // the corpus has none
		}
		return textSum(b)
	case events.DataTypeBoolean:
		if v.Boolean() {
			return 1
		}
	case events.DataTypeMap:
		return libraryImage(v.Map())
	case events.DataTypeList:
		for _, member := range v.List() {
			sum += libraryValue(member)
		}
	case events.DataTypeStringSet:
		for _, member := range v.StringSet() {
			sum += textSum(member)
		}
	}
	return sum
}
