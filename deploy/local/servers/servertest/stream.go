package servertest

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
)

// CreateStream makes a Kinesis stream, waits until it can be used, and returns its ARN.
func CreateStream(t testing.TB, client *kinesis.Client, name string, shards int32) string {
	t.Helper()
	if _, err := client.CreateStream(t.Context(), &kinesis.CreateStreamInput{StreamName: &name, ShardCount: &shards}); err != nil {
		t.Fatalf("create stream %s: %v", name, err)
	}
	// ministack shows a stream as CREATING for a moment.
	waiter := kinesis.NewStreamExistsWaiter(client, func(o *kinesis.StreamExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = 50*time.Millisecond, time.Second
	})
	out, err := waiter.WaitForOutput(t.Context(), &kinesis.DescribeStreamInput{StreamName: &name}, time.Minute)
	if err != nil {
		t.Fatalf("wait for stream %s: %v", name, err)
	}
	return *out.StreamDescription.StreamARN
}
