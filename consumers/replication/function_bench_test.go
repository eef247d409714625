package replication

import (
	"fmt"
	"testing"

	"sluice/deploy/local/mapping/function/functiontest"
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
		"SOURCE_TABLE=Source", "REPLICA_TABLE=Copy", "REPLICA_REGION="+away,
		"AWS_ENDPOINT_URL_DYNAMODB="+*cfg.BaseEndpoint, "AWS_ACCESS_KEY_ID="+key.AccessKeyID)
}
