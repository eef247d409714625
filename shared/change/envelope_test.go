package change

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"weak"
)

// wrongTypes is a value of each type of JSON, by its name.
var wrongTypes = map[string]any{
	"null": nil, "true": true, "a number": 7, "a negative number": -1.5, "a string": "x", "an empty string": "", "a list": []any{1, "x"}, "an object": map[string]any{"x": 1},
}

// Each field of the envelope with each wrong type of JSON. Fails if one odd record costs others of its payload: then
// Lambda sends all of them again until it gives them up.
func TestEachFieldOfEachWrongType(t *testing.T) {
	record := func(n string) (record, kinesis map[string]any) {
		data := base64.StdEncoding.EncodeToString(insertOf(`"Id":{"S":"` + n + `"}`))
		kinesis = map[string]any{"sequenceNumber": n, "partitionKey": "p", "data": data, "approximateArrivalTimestamp": 1545084650.987}
		return map[string]any{"kinesis": kinesis, "eventID": "shard:" + n, "eventSourceARN": "arn"}, kinesis
	}
	for _, field := range []string{"partitionKey", "data", "approximateArrivalTimestamp", "eventID", "eventSourceARN", "eventName", "kinesisSchemaVersion"} {
		for _, name := range slices.Sorted(maps.Keys(wrongTypes)) {
			before, _ := record("1")
			odd, ofOdd := record("2")
			after, _ := record("3")
			if _, ok := ofOdd[field]; ok || field == "kinesisSchemaVersion" {
				ofOdd[field] = wrongTypes[name]
			} else {
				odd[field] = wrongTypes[name]
			}
			payload, err := json.Marshal(map[string]any{"Records": []any{before, odd, after}})
			if err != nil {
				t.Fatal(err)
			}
			var d Decoder
			records, err := d.Decode(payload)
			if err != nil || len(records) != 3 {
				t.Errorf("%s is %s: the whole payload is refused: %v", field, name, err)
				continue
			}
			if records[0].Err != nil || records[2].Err != nil || records[1].SequenceNumber != "2" {
				t.Errorf("%s is %s: others are refused too: %v, %v", field, name, records[0].Err, records[2].Err)
			}
			if err := records[1].Err; err == nil && records[1].Change == nil || err != nil && field != "data" && !strings.Contains(err.Error(), field) {
				t.Errorf("%s is %s: the record's error is %v", field, name, err)
			}
		}
	}
}

// Fails if a time in another form is read as another time, or refused although it can mean only one.
func TestTimeOfArrival(t *testing.T) {
	want := time.UnixMicro(1545084650987000).UTC()
	for text, readable := range map[string]bool{
		`1545084650.987`: true, `1545084650987`: true, `"1545084650.987"`: true, `"1545084650987"`: true, `1.545084650987e9`: true, `1.545084650987e12`: true,
		`"1545084650.987 "`: false, `"0x5c18223a"`: false, `""`: false, `"."`: false, `"Inf"`: false, `"NaN"`: false, `-1`: false, `1e300`: false, `1e15`: false,
		`true`: false, `{}`: false, `"2018-12-17T22:10:50.987Z"`: false, `"01545084650.987"`: false,
	} {
		var d Decoder
		records, err := d.Decode([]byte(`{"Records":[{"kinesis":{"sequenceNumber":"1","approximateArrivalTimestamp":` + text + `,"data":"` +
			base64.StdEncoding.EncodeToString(insertOf(`"Id":{"S":"a"}`)) + `"}}]}`))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if r := records[0]; readable != (r.Err == nil) || readable && !r.Arrival.Equal(want) {
			t.Errorf("%s is read as %v, %v", text, r.Arrival, r.Err)
		}
	}
}

// insertOf is the data of an insertion with these keys.
func insertOf(keys string) []byte {
	return []byte(`{"eventName":"INSERT","tableName":"T","dynamodb":{"ApproximateCreationDateTime":1720740233012,"Keys":{` + keys + `},"NewImage":{` + keys + `}}}`)
}

// A removal may lack its old image: keys and time are enough for some. Fails if another kind may.
func TestRemovalWithoutOldImage(t *testing.T) {
	for kind, want := range map[string]bool{"REMOVE": true, "MODIFY": false} {
		image := map[string]string{"REMOVE": "", "MODIFY": `,"NewImage":{"Id":{"S":"a"}}`}[kind]
		c, err := Parse([]byte(`{"eventName":"` + kind + `","tableName":"T","dynamodb":{"ApproximateCreationDateTime":1720740233012,"Keys":{"Id":{"S":"a"}}` + image + `}}`))
		if (err == nil) != want {
			t.Errorf("%s without an old image: %v", kind, err)
		}
		if err == nil && (!c.LacksOld() || c.Version != 1720740233012000 || c.Keys.Len() != 1) {
			t.Errorf("it is read as %+v", c)
		}
	}
}

// Fails if a Decoder holds the last batch's buffer beyond the next Decode, also of a payload without any record.
func TestBufferOfABatchIsLetGo(t *testing.T) {
	for _, next := range [][]byte{[]byte(`{"Records":[]}`), envelopeOf(insertOf(`"Id":{"S":"b"}`)), envelopeOf(nil)} {
		var d Decoder
		records, err := d.Decode(envelopeOf(insertOf(`"Id":{"S":"a"}`)))
		if err != nil || records[0].Err != nil {
			t.Fatal(err, records[0].Err)
		}
		buffer := weak.Make(&d.arena.data[0])
		records = nil
		runtime.GC()
		if buffer.Value() == nil {
			t.Fatal("the buffer is gone before the next Decode")
		}
		if _, err := d.Decode(next); err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		if buffer.Value() != nil {
			t.Errorf("after %.40s the buffer of the batch before it is still there", next)
		}
		runtime.KeepAlive(&d)
		_ = records
	}
}
