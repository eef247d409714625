package replication

import (
	"testing"

	"sluice/deploy/local/mapping/function/functiontest"
)

// BenchmarkColdStart measures how long the function takes to its first answer.
func BenchmarkColdStart(b *testing.B) { functiontest.ColdStart(b, "./lambda") }
