package ops

import (
	"testing"
)

// A play that arrives late takes a comeback back, though no play was corrected.
func TestWhyABadgeWasTakenBack(t *testing.T) {
	const want = "earned 2026-03-01, taken back 2026-03-02T00:00:00Z, since plays were corrected, or one arrived late"
	if got := sayStep("ada", Step{Status: Taken, EarnedAt: "2026-03-01", RevokedAt: "2026-03-02T00:00:00Z"}); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
