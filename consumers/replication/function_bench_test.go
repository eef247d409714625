package replication

import (
	"bytes"
	"fmt"
	"testing"

	"sluice/deploy/local/mapping/function/functiontest"
	"sluice/deploy/local/servers/servertest"
)

// BenchmarkColdStart measures how long the function takes to its first answer.
func BenchmarkColdStart(b *testing.B) { functiontest.ColdStart(b, "./lambda", nil) }

// BenchmarkMemory measures the function's memory over 100,000 insertions.
func BenchmarkMemory(b *testing.B) {
	cfg := newCopies(b)
	key, err := cfg.Credentials.Retrieve(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	functiontest.Memory(b, "./lambda", 100_000, func(n int) []byte { return benchRecord(fmt.Sprint(n), n) },
		"SCORE_TABLE=Source", "PREFIX=", "REPLICA_TABLE=Copy", "REPLICA_REGION="+away,
		"AWS_ENDPOINT_URL_DYNAMODB="+*cfg.BaseEndpoint, "AWS_ACCESS_KEY_ID="+key.AccessKeyID)
}

// BenchmarkTroubledMemory measures the function's memory over batches that each have an item
// that no table takes, a new item, updates of ten items, and an item that can't be written.
func BenchmarkTroubledMemory(b *testing.B) {
	queue := functiontest.NewQueue(b)
	cfg := servertest.DynamoDB(b)
	cfg.Credentials = queue.Credentials // the function has one key for both
	newCopiesIn(b, cfg)
	functiontest.Troubled(b, "./lambda", func(kind functiontest.Kind, n int) []byte {
		id := fmt.Sprint(kind, "-", n)
		if kind == functiontest.Usual {
			id = fmt.Sprint(kind, "-", n%10)
		}
		record := benchRecord(id, n)
		if kind == functiontest.Bad {
			record = bytes.Replace(record, []byte(`{"S":"a text of some length"}`), []byte(nested(33)), 1)
		}
		return record
	}, queue, "SCORE_TABLE=Source", "PREFIX=", "REPLICA_TABLE=Copy", "REPLICA_REGION="+away,
		"AWS_ENDPOINT_URL_DYNAMODB="+functiontest.Denying(b, *cfg.BaseEndpoint))
}
