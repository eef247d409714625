package search_test

import (
	"net/http"
	"testing"
	"time"

	"sluice/consumers/search/internal/searchtest"
	"sluice/deploy/local/mapping/function/functiontest"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/gametest"
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
		return consumertest.Change{Table: gametest.PetTable, Time: began.Add(time.Duration(n) * time.Microsecond), Keys: keys, New: item}.Record()
	}, "SEARCH_ENDPOINT="+*servertest.OpenSearch(b).BaseEndpoint, "SEARCH_AUTH=none")
}

// BenchmarkTroubledMemory measures the function's memory over batches that each have a pet that no
// index takes, a new pet, updates of ten pets, and a play whose index is blocked.
func BenchmarkTroubledMemory(b *testing.B) {
	cfg, queue, began := servertest.OpenSearch(b), functiontest.NewQueue(b), time.Now()
	if err := searchtest.Request(b.Context(), cfg, http.MethodPut, "/plays-1", `{"settings": {"index.blocks.write": true}, "aliases": {"plays": {}, "plays-all": {}}}`, nil); err != nil {
		b.Fatal(err)
	}
	functiontest.Troubled(b, "./lambda", func(kind functiontest.Kind, n int) []byte {
		table := gametest.PetTable
		keys, item := benchPet(n)
		switch kind {
		case functiontest.Bad:
			item["age"] = consumertest.S("old")
		case functiontest.Usual:
			keys, item = benchPet(n % 10)
		case functiontest.Unlucky:
			table = gametest.ScoreTable
			keys, item = benchPlay(n)
		case functiontest.New:
		}
		return consumertest.Change{Table: table, Time: began.Add(time.Duration(n) * time.Microsecond), Keys: keys, New: item}.Record()
	}, queue, "SEARCH_ENDPOINT="+*cfg.BaseEndpoint, "SEARCH_AUTH=none")
}
