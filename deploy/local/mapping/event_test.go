package mapping

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	kinesistypes "github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/google/go-cmp/cmp"

	"sluice/deploy/local/mapping/function"
)

const (
	testFunctionARN = "arn:aws:lambda:us-east-2:123456789012:function:leaderboard"
	testStreamARN   = "arn:aws:kinesis:us-east-2:123456789012:stream/changes"
)

// TestPayload holds an event to a golden file, byte by byte, whose first record is that of Lambda's documentation.
func TestPayload(t *testing.T) {
	source := newSource("shardId-000000000006", testStreamARN, testFunctionARN)
	got := payload([]record{
		source.encode(&kinesistypes.Record{
			PartitionKey: aws.String("0AB18464EFEE6043E48DD4475DABA453"), SequenceNumber: aws.String("49590338271490256608559692538361571095921575989136588898"),
			Data: []byte("Hello, this is a test."), ApproximateArrivalTimestamp: aws.Time(time.UnixMilli(1545084650987)),
		}),
		source.encode(&kinesistypes.Record{
			PartitionKey: aws.String(`"k"`), SequenceNumber: aws.String("49590338271490256608559692540925702759324208523137515618"),
			ApproximateArrivalTimestamp: aws.Time(time.UnixMilli(1545084711007)),
		}),
	})
	want, err := os.ReadFile("testdata/event.json")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.TrimSpace(string(want)), string(got)); diff != "" {
		t.Errorf("differs from testdata/event.json (-want +got):\n%s", diff)
	}
	// And what functions are given by AWS's own library.
	var event events.KinesisEvent
	if err := json.Unmarshal(got, &event); err != nil {
		t.Fatal(err)
	}
	if r := event.Records[0]; string(r.Kinesis.Data) != "Hello, this is a test." || !r.Kinesis.ApproximateArrivalTimestamp.Round(time.Millisecond).Equal(time.UnixMilli(1545084650987)) {
		t.Errorf("aws-lambda-go reads data %q and time %v", r.Kinesis.Data, r.Kinesis.ApproximateArrivalTimestamp)
	}
}

func TestEmptyPayload(t *testing.T) {
	if got := string(payload(nil)); got != `{"Records":[]}` {
		t.Errorf("payload(nil) = %s", got)
	}
}

// TestDocument holds an on-failure document to the example of Lambda's documentation.
func TestDocument(t *testing.T) {
	at := func(text string) time.Time {
		t.Helper()
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return at.In(time.FixedZone("", 3600))
	}
	d := discarded{
		condition: retriesExhausted, invocations: 3,
		answer: &function.Answer{RequestID: "c9b8fa9f-5a7f-xmpl-af9c-0c604cde93a5", Failure: &function.Failure{}},
		records: []record{
			{sequence: "49601189658422359378836298521827638475320189012309704722", arrival: at("2019-11-14T00:38:04.835Z")},
			{sequence: "49601189658422359378836298522902373528957594348623495186", arrival: at("2019-11-14T00:38:05.580Z")},
		},
	}
	doc := d.document(testFunctionARN, testStreamARN, "shardId-000000000001", at("2019-11-14T00:38:06.021Z"))
	got, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/document.json")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)+"\n"); diff != "" {
		t.Errorf("differs from testdata/document.json (-want +got):\n%s", diff)
	}
}
