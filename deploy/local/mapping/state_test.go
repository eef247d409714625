package mapping

import (
	"strings"
	"testing"
	"time"
)

// The second that isn't over doesn't count yet, one that has left the window no more, and silence makes the rate 0.
func TestRateIsOfTheLastWholeSeconds(t *testing.T) {
	var r rate
	begin := time.Unix(1_800_000_000, 0)
	at := func(seconds float64) time.Time { return begin.Add(time.Duration(seconds * float64(time.Second))) }
	want := func(seconds, want float64) {
		t.Helper()
		if got := r.perSecond(at(seconds)); got != want {
			t.Errorf("after %v s: %v a second, want %v", seconds, got, want)
		}
	}
	want(0, 0)
	r.add(at(0.1), 30)
	r.add(at(0.9), 20)
	want(0.9, 0)
	want(1, 5)
	r.add(at(5), 10)
	want(6, 6)
	want(10.9, 6)
	want(11, 1)
	r.add(at(11.5), 40) // in the place of the first
	want(12, 5)
	want(16, 4)
	want(22, 0)
	want(1000, 0)
}

// Fails for a mapping that doesn't say that it tries again or why, or goes on saying so when it no longer does.
func TestStateOfALaneThatTriesAgain(t *testing.T) {
	s := defaults()
	s.ReportBatchItemFailures, s.MaximumRetryAttempts = true, 1
	b := newBench(t, "reports", s)
	want := func(state State, problem string) {
		t.Helper()
		if stats := b.mapping.Stats(); stats.State != state || !strings.Contains(stats.Problem, problem) || (problem == "") != (stats.Problem == "") {
			t.Errorf("state %q because of %q, want %q because of %q", stats.State, stats.Problem, state, problem)
		}
	}
	want(Starting, "")
	b.mapping.shards = []*shard{b.shard}
	want(Starting, "")
	b.shard.behind.Store(0)
	want(Enabled, "")
	waits := 0
	b.mapping.config.Backoff = func(int) time.Duration {
		want(Retrying, []string{"reported 1 of 3 records as failed, the first is number 2", "reported 1 of 2 records as failed, the first is number 1"}[waits])
		waits++
		return 0
	}
	b.push("a", "bad", "b")
	b.mustRun()
	if waits != 2 {
		t.Errorf("tried again %d times, want 2", waits)
	}
	want(Enabled, "")
	b.mapping.settings.Enabled = false
	want(Disabled, "")
}
