package capacity

import (
	"strings"
	"testing"
	"time"
)

func TestSize(t *testing.T) {
	for text, want := range map[string]Size{"1B": 1, "100B": 100, "1KB": 1024, "1.5KB": 1536, "400KB": 409_600, "0B": 0} {
		var s Size
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want {
			t.Errorf("%s is %d (%v), want %d", text, s, err, want)
		}
	}
	for text, want := range map[string]string{
		"": "no unit", "1": "no unit", "1k": "no unit", "KB": "no size", "1MB": "no size", "x B": "no size",
		"0.3B": "whole number", "-1B": "whole number", "1e30KB": "whole number",
	} {
		var s Size
		if err := s.UnmarshalText([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want an error with %q", text, err, want)
		}
	}
}

// Every fault is told at once, by its flag.
func TestFaultsOfALoad(t *testing.T) {
	half := 1500 * time.Millisecond
	err := Load{Changes: -1, Badges: 1001, Window: &half, Consumers: []string{"badges", "audit", "badges"}}.Validate()
	for _, want := range []string{"--changes: -1", "--item: 0 B", "--players: 0", "--badges: 1001", "--batch-window: 1.5s", `"audit"; there are leaderboard, replication, search, badges`, "badges is named twice"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in:\n%v", want, err)
		}
	}
	if err := load(1, KB, consumers()).Validate(); err == nil {
		t.Error("a load without consumers is accepted")
	}
	for _, l := range []Load{load(0, 1), load(MaxChanges, MaxItem, window(MaxWindow))} {
		if err := l.Validate(); err != nil {
			t.Errorf("%+v: %v", l, err)
		}
	}
	for _, l := range []Load{load(MaxChanges+1, 1), load(1, MaxItem+1), load(1, 1, window(MaxWindow+time.Second)), load(1, 1, window(-time.Second))} {
		if l.Validate() == nil {
			t.Errorf("%+v is accepted", l)
		}
	}
}
