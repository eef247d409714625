package view

import "testing"

// The shard of an item is part of the stored data: it may never change.
func TestShardIsStable(t *testing.T) {
	s := shard{count: 10}
	for text, want := range map[string]int{"marah": 2, "quynn": 6, "": 1, "ünïcödé": 4} {
		if got := s.number(text); got != want {
			t.Errorf("shard of %q is %d, want %d", text, got, want)
		}
	}
}
