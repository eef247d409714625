package search

import (
	"testing"
	"time"

	"sluice/deploy/local/mapping/function/functiontest"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumertest"
)

// BenchmarkColdStart measures how long the function takes to its first answer, with
// requests that it would sign, as on AWS.
func BenchmarkColdStart(b *testing.B) {
	functiontest.ColdStart(b, "./lambda", nil, "SEARCH_ENDPOINT=https://search.invalid", "SEARCH_AUTH=iam")
}

// BenchmarkMemory measures the function's memory over 100,000 pets of 1 KB.
func BenchmarkMemory(b *testing.B) {
	began := time.Now()
	functiontest.Memory(b, "./lambda", 100_000, func(n int) []byte {
		keys, item := benchPet(n)
		return consumertest.Change{Table: DefaultPetTable, Time: began.Add(time.Duration(n) * time.Microsecond), Keys: keys, New: item}.Record()
	}, "SEARCH_ENDPOINT="+*servertest.OpenSearch(b).BaseEndpoint, "SEARCH_AUTH=none")
}
