// Package proof says how much of the proof a run of the tests does.
//
// The whole proof is every schedule of the simulator, every small world, every mutant
// and the deployments with the SAM CLI. It takes too long for each commit, and the race
// detector makes a schedule several times as slow while it looks for another kind of fault.
// So a run with -short or with -race does a tenth of each suite and leaves out the rest.
// make test runs with -short, make proof runs both the race detector and the whole.
package proof

import "testing"

// Share is the part of a suite that runs when the proof is not whole: one in so many.
const Share = 10

// Whole reports whether this run does the whole proof.
func Whole() bool { return !raceDetector && !testing.Short() }

// OnlyWhole skips a test that only the whole proof runs. The reason says why the test is left out.
func OnlyWhole(t testing.TB, reason string) {
	t.Helper()
	if !Whole() {
		t.Skipf("only make proof runs this test: %s", reason)
	}
}

// NoRaces skips a test with -race when its work is done by processes that are built without the
// race detector. The detector can't find anything there, and make test runs the test already.
func NoRaces(t testing.TB) {
	t.Helper()
	if raceDetector {
		t.Skip("the work of this test is done by processes without the race detector: make test runs it")
	}
}

// Thin returns every tenth of the cases, the first included, unless the proof is whole.
func Thin[T any](cases []T) []T {
	if Whole() {
		return cases
	}
	var some []T
	for n := 0; n < len(cases); n += Share {
		some = append(some, cases[n])
	}
	return some
}
