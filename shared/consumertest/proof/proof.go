// Package proof says how much of the proof a run of the tests does.
//
// The whole proof is every schedule of the simulator, every small world, every mutant
// and the deployments with the SAM CLI. It takes too long for each commit, and the race
// detector makes a schedule several times as slow while it looks for another kind of fault.
// So a run with -race or -short does a twenty-fifth of each suite and leaves out the rest.
// make test runs with -short, make proof runs both the race detector and the whole.
package proof

import "testing"

// Share returns the part of a suite that this run does: one case in so many.
func Share() int {
	if Whole() {
		return 1
	}
	return 25
}

// Size returns whole, or less with -short: how large a test makes its input, or how often it repeats.
func Size(whole, less int) int {
	if testing.Short() {
		return less
	}
	return whole
}

// Whole reports whether this run does the whole proof.
func Whole() bool { return !raceDetector && !testing.Short() }

// OnlyWhole skips a test that only the whole proof runs. The reason says why the test is left out.
func OnlyWhole(t testing.TB, reason string) {
	t.Helper()
	if !Whole() {
		t.Skipf("only make proof runs this test: %s", reason)
	}
}

// NotShort skips a test with -short. The reason says which tests run the same code. Such a test runs with the race detector.
func NotShort(t testing.TB, reason string) {
	t.Helper()
	if testing.Short() {
		t.Skipf("only make proof runs this test: %s", reason)
	}
}

// NoRaces skips a test with -race. The reason says why the race detector would find nothing
// that it doesn't find elsewhere. Such a test runs with make test.
func NoRaces(t testing.TB, reason string) {
	t.Helper()
	if raceDetector {
		t.Skipf("not run with the race detector: %s", reason)
	}
}

// Thin returns the cases that this run does: one in [Share], the first included.
func Thin[T any](cases []T) []T {
	var some []T
	for n := 0; n < len(cases); n += Share() {
		some = append(some, cases[n])
	}
	return some
}
