package stack

import (
	"testing"

	"sluice/deploy/local/bridge"
	"sluice/deploy/local/mapping"
)

// still returns a pipeline at rest, of two tables and two consumers, after so many readings of the tables.
func still(quiet int64) standing {
	last := map[string]string{"a": "0000900", "b": "0001000"}
	table := func(changes int64) bridge.TableStats {
		return bridge.TableStats{Counts: bridge.Counts{Read: changes, Written: changes}, Stream: "changes", Quiet: quiet, Last: last}
	}
	consumer := mapping.Stats{Read: 7, Done: 7, Shards: []mapping.Shard{{ID: "a", Checkpoint: "0000900"}, {ID: "b", Checkpoint: "0001000"}}}
	return standing{
		mappings: map[string]mapping.Stats{"one": consumer, "two": consumer},
		streams:  map[string]string{"one": "changes", "two": "changes"},
		bridge: bridge.Stats{
			Counts: bridge.Counts{Read: 7, Written: 7},
			Tables: map[string]bridge.TableStats{"busy": table(7), "empty": {Stream: "changes", Quiet: quiet}},
		},
	}
}

// Each case is what a Drain that forgets one condition would take for drained.
func TestIdle(t *testing.T) {
	for name, change := range map[string]func(*standing){
		"a record is held back":            func(s *standing) { s.bridge.Pending = 1 },
		"a record is read and not done":    func(s *standing) { m := s.mappings["two"]; m.Read++; s.mappings["two"] = m },
		"an invocation runs":               func(s *standing) { m := s.mappings["two"]; m.InFlight++; s.mappings["two"] = m },
		"the shards are not known yet":     func(s *standing) { m := s.mappings["two"]; m.Shards = nil; s.mappings["two"] = m },
		"a record is written and not read": func(s *standing) { s.bridge.Tables["busy"].Last["b"] = "0001001" },
		"the number has one digit more":    func(s *standing) { s.bridge.Tables["busy"].Last["a"] = "10000" },
	} {
		s := still(5)
		if !s.idle() {
			t.Fatal("a pipeline at rest is not idle")
		}
		if change(&s); s.idle() {
			t.Errorf("%s: idle", name)
		}
	}
	other := still(5)
	other.bridge.Tables["empty"] = bridge.TableStats{Stream: "another", Last: map[string]string{"c": "5"}}
	if !other.idle() {
		t.Error("waits for a stream that no consumer reads")
	}
}

func TestStill(t *testing.T) {
	before := still(5)
	if after := still(6); after.lookedSince(before) {
		t.Error("content with a reading that may have begun before")
	}
	after := still(7)
	if !after.stillAs(before) || !after.lookedSince(before) {
		t.Error("two readings and no change: not drained")
	}
	after.bridge.Tables["empty"] = bridge.TableStats{Quiet: 6}
	if after.lookedSince(before) {
		t.Error("content though one table was not read again")
	}
	for name, change := range map[string]func(*standing){
		"the bridge has read": func(s *standing) { s.bridge.Read++ },
		"a mapping has read":  func(s *standing) { m := s.mappings["one"]; m.Read, m.Done = 8, 8; s.mappings["one"] = m },
	} {
		after := still(7)
		if change(&after); after.stillAs(before) {
			t.Errorf("%s: the same", name)
		}
	}
	before.bridge.Pending = 1
	if still(7).stillAs(before) {
		t.Error("content though there was something under way before")
	}
}

// Fails for a Drain that is content with one region: the other's consumer may just be writing here.
func TestStillInAllRegions(t *testing.T) {
	at := func(home, away int64) standings { return standings{"home": still(home), "away": still(away)} }
	if before, after := at(5, 5), at(7, 7); !after.all(before, standing.stillAs) || !after.all(before, standing.lookedSince) {
		t.Error("two regions at rest are not drained")
	}
	if at(7, 6).all(at(5, 5), standing.lookedSince) {
		t.Error("content though a table of one region was not read again")
	}
	busy := at(7, 7)
	busy["away"].mappings["one"] = mapping.Stats{Read: 8, Done: 7}
	if busy.all(at(5, 5), standing.stillAs) {
		t.Error("content though a consumer of one region works")
	}
}
