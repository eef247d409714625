package change

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// values compares the SDK's values by what they say.
var values = cmpopts.IgnoreUnexported(
	types.AttributeValueMemberS{}, types.AttributeValueMemberN{}, types.AttributeValueMemberB{}, types.AttributeValueMemberBOOL{},
	types.AttributeValueMemberNULL{}, types.AttributeValueMemberM{}, types.AttributeValueMemberL{}, types.AttributeValueMemberSS{},
	types.AttributeValueMemberNS{}, types.AttributeValueMemberBS{})

func seeds(f *testing.F) (out [][]byte) {
	files, err := filepath.Glob("testdata/*/*.json")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		out = append(out, data)
	}
	return out
}

// FuzzParse holds Parse against the oracle: it accepts and refuses the same records, and reads the same from them.
func FuzzParse(f *testing.F) {
	for _, data := range seeds(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		want, refused := oracleRecord(data)
		c, err := Parse(data)
		if !bytes.Equal(data, before) {
			t.Fatal("Parse wrote to the data")
		}
		if (err != nil) != (refused != nil) {
			t.Fatalf("Parse: %v\noracle: %v\n%s", err, refused, data)
		}
		if err != nil {
			var wrong *DecodeError
			if !errors.As(err, &wrong) || wrong.Offset > len(data) {
				t.Fatalf("not the error it should be: %#v", err)
			}
			return
		}
		got := &oracleChange{
			Table: c.Table, Region: c.Region, EventID: c.EventID, Kind: c.Kind.String(), Precision: c.Precision.String(),
			Version: c.Version, SizeBytes: c.SizeBytes, Identity: c.Identity,
			Keys: c.Keys.AttributeValues(), New: c.New.AttributeValues(), Old: c.Old.AttributeValues(),
		}
		if diff := cmp.Diff(want, got, values, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("-oracle +Parse:\n%s", diff)
		}
		for _, image := range []Image{c.Keys, c.New, c.Old} {
			d := json.NewDecoder(bytes.NewReader(image.AppendJSON(nil)))
			d.UseNumber()
			var document any
			if err := d.Decode(&document); err != nil {
				t.Fatalf("AppendJSON: %v\n%s", err, image.AppendJSON(nil))
			}
			if diff := cmp.Diff(oracleDocuments(image.AttributeValues()), document); diff != "" {
				t.Fatalf("AppendJSON, -want +got:\n%s", diff)
			}
			for name, v := range image.All() {
				if again, ok := image.Get(name); !ok || again != v {
					t.Fatalf("Get(%q) isn't what All yields", name)
				}
			}
		}
		if c.ID().Time() != c.Version {
			t.Fatalf("ID %s has time %d, want %d", c.ID(), c.ID().Time(), c.Version)
		}
	})
}

// FuzzBatch makes sure that records don't influence each other: in a batch each is what it is alone.
func FuzzBatch(f *testing.F) {
	all := seeds(f)
	for i := range all {
		f.Add(all[i], all[(i*7+3)%len(all)])
	}
	var d Decoder
	f.Fuzz(func(t *testing.T, a, b []byte) {
		in := [][]byte{a, b, a, a, b, b}
		got, err := d.Decode(envelopeOf(in...))
		if err != nil || len(got) != len(in) {
			t.Fatalf("%d records, %v", len(got), err)
		}
		for i, r := range got {
			want, err := Parse(in[i])
			if fmt.Sprint(err) != fmt.Sprint(r.Err) {
				t.Fatalf("record %d: %v, alone %v", i, r.Err, err)
			}
			if err == nil && describe(want) != describe(r.Change) {
				t.Fatalf("record %d: -alone +in the batch\n%s", i, cmp.Diff(describe(want), describe(r.Change)))
			}
			if encoded := base64.StdEncoding.EncodeToString(in[i]); string(r.Encoded) != encoded {
				t.Fatalf("record %d: Encoded is %s", i, r.Encoded)
			}
		}
	})
}

// envelopeOf returns the payload in which Lambda would hand over the data of some records.
func envelopeOf(data ...[]byte) []byte {
	var b bytes.Buffer
	b.WriteString(`{"Records":[`)
	for i, d := range data {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"kinesis":{"kinesisSchemaVersion":"1.0","partitionKey":"0AB18464EFEE6043E48DD4475DABA45%d",`+
			`"sequenceNumber":"4959%d","data":"%s","approximateArrivalTimestamp":1545084650.98%d},"eventSource":"aws:kinesis",`+
			`"eventID":"shardId-000000000006:4959%d","awsRegion":"us-east-1","eventSourceARN":"arn:aws:kinesis:us-east-1:1:stream/s"}`,
			i%10, i, base64.StdEncoding.EncodeToString(d), i%10, i)
	}
	b.WriteString(`]}`)
	return b.Bytes()
}

// FuzzDecode holds the reading of the payload around the data against encoding/json.
func FuzzDecode(f *testing.F) {
	good := seeds(f)[0]
	f.Add(envelopeOf())
	f.Add(envelopeOf(good))
	f.Add(envelopeOf(good, []byte("{}"), nil))
	for _, s := range payloads {
		f.Add([]byte(s))
	}
	var d Decoder
	f.Fuzz(func(t *testing.T, payload []byte) {
		before := bytes.Clone(payload)
		want, refused := oraclePayload(payload)
		got, err := d.Decode(payload)
		if !bytes.Equal(payload, before) {
			t.Fatal("Decode wrote to the payload")
		}
		if (err != nil) != (refused != nil) || len(got) != len(want) {
			t.Fatalf("Decode: %d, %v\noracle: %d, %v\n%s", len(got), err, len(want), refused, payload)
		}
		for i := range got {
			g, w := got[i], want[i]
			if g.SequenceNumber != w.sequence || g.PartitionKey != w.partition || g.ShardID != w.shard || g.StreamARN != w.stream {
				t.Fatalf("record %d: %+v, want %+v", i, g, w)
			}
			if at := g.Arrival; at.IsZero() != w.noArrival || !at.IsZero() && math.Abs(float64(at.UnixMicro())-w.arrival*1e6) > math.Abs(w.arrival)*1e-9+1 {
				t.Fatalf("record %d: arrival %v, want %v", i, at, w.arrival)
			}
			if (g.Change == nil) != (g.Err != nil) || (g.Err == nil) != w.ok {
				t.Fatalf("record %d: %v, %v, want ok: %t", i, g.Change, g.Err, w.ok)
			}
		}
	})
}

// payloads are oddities for the seeds of FuzzDecode.
var payloads = []string{
	``, `null`, `[]`, `{}`, `{"Records":null}`, `{"Records":[],"Records":[]}`, `{"Records":[{}]}`, `{"Records":[1]}`, `{"records":[]}`,
	`{"Records":[{"kinesis":{"sequenceNumber":"1"}}]}`,
	`{"Records":[{"kinesis":{"sequenceNumber":"1","data":null}},{"kinesis":{"sequenceNumber":"2","data":[1]}}]}`,
	`{"Records":[{"kinesis":{"sequenceNumber":"1","data":"e\u0033\/0="},"eventID":"a:1"},{"kinesis":{"data":"e30=","sequenceNumber":"\u0032","partitionKey":"\"p\""},"eventID":"b"}]}`,
	`{"Records":[{"kinesis":{"sequenceNumber":"1","data":"not base64"},"eventSourceARN":"x","x":[{"y":1e9}]}]}`,
	"{\"Records\":[{\"kinesis\":{\"sequenceNumber\":\"1\",\"data\":\"e3\n0=\"}}]}",
	`{"Records":[{"kinesis":{"sequenceNumber":"1","data":"e30=","approximateArrivalTimestamp":1.545084650987E9}}],"more":0}`,
	`{"Records":[{"x":1,"kinesis":{"sequenceNumber":"1","data":"e30="}},{"x":12,"kinesis":{"sequenceNumber":"1","data":"e30="}},{"x":"a","kinesis":{"approximateArrivalTimestamp":null,"sequenceNumber":"1","data":"e30="}}]}`,
	`{"Records":[{"kinesis":{"sequenceNumber":"1","sequenceNumber":"2","data":"e30="}}]}`,
	`{"Records":[{"kinesis":{"sequenceNumber":"","data":"e30="}}]}`,
	`{"Records":[{"kinesis":{"sequenceNumber":"1","data":"\ud800"}}]}`,
	`{"Records":[{"kinesis":{"sequenceNumber":"1","approximateArrivalTimestamp":1545084650987}},{"kinesis":{"sequenceNumber":"1","approximateArrivalTimestamp":"1545084650.987"}}]}`,
	`{"Records":[{"eventID":1,"kinesis":{"sequenceNumber":"1","partitionKey":{},"approximateArrivalTimestamp":[-1]},"eventSourceARN":null}]}`,
}

type oraclePayloadRecord struct {
	sequence, partition, shard, stream string
	arrival                            float64
	noArrival, ok                      bool
}

func oraclePayload(payload []byte) ([]oraclePayloadRecord, error) {
	if !validText(payload) {
		return nil, refuse("no JSON text")
	}
	top, err := oracleObject(payload, "Records")
	if err != nil {
		return nil, err
	}
	return oracleList(top["Records"], func(raw json.RawMessage) (r oraclePayloadRecord, err error) {
		record, err := oracleObject(raw, "kinesis", "eventID", "eventSourceARN")
		if err != nil {
			return r, err
		}
		kinesis, err := oracleObject(record["kinesis"], "sequenceNumber", "partitionKey", "data", "approximateArrivalTimestamp")
		if err != nil {
			return r, err
		}
		var event string
		var odd bool
		for _, m := range []struct {
			dst *string
			raw json.RawMessage
		}{{&r.sequence, kinesis["sequenceNumber"]}, {&r.partition, kinesis["partitionKey"]}, {&event, record["eventID"]}, {&r.stream, record["eventSourceARN"]}} {
			if m.raw != nil {
				if *m.dst, err = oracleString(m.raw); err != nil {
					odd = true // for this record alone, if it has a sequence number
				}
			}
		}
		if r.sequence == "" {
			return r, refuse("no sequence number")
		}
		if before, _, found := strings.Cut(event, ":"); found {
			r.shard = before
		}
		if r.noArrival = isNull(kinesis["approximateArrivalTimestamp"]); !r.noArrival {
			text := string(kinesis["approximateArrivalTimestamp"])
			if s, err := oracleString(json.RawMessage(text)); err == nil {
				text = s
			}
			if r.arrival, err = strconv.ParseFloat(text, 64); r.arrival > 1e11 {
				r.arrival /= 1000
			}
			if err != nil || !json.Valid([]byte(text)) || strings.TrimSpace(text) != text || r.arrival < 0 || r.arrival > 1e11 {
				odd, r.noArrival = true, true
			}
		}
		if data, err := oracleString(kinesis["data"]); err == nil && !strings.ContainsAny(data, "\r\n") {
			if b, err := base64.StdEncoding.Strict().DecodeString(data); err == nil {
				_, err := oracleRecord(b)
				r.ok = err == nil && !odd
			}
		}
		return r, nil
	})
}
