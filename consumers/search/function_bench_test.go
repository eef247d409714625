package search

import (
	"testing"

	"sluice/deploy/local/mapping/function/functiontest"
)

// BenchmarkColdStart measures how long the function takes to its first answer, with
// requests that it would sign, as on AWS.
func BenchmarkColdStart(b *testing.B) {
	functiontest.ColdStart(b, "./lambda", "SEARCH_ENDPOINT=https://search.invalid", "SEARCH_AUTH=iam")
}
