package consumer

import "time"

// memorySize bounds what a function remembers of records between batches.
const memorySize = 10_000

// memory is what one function instance remembers of troublesome records from
// one delivery to the next. Lambda doesn't say how often it delivered a record,
// so this is the only way to tell one that keeps failing from one that fails
// for the first time. It is lost when the instance ends; then counting begins
// anew, and the record's age is what decides in the end (Settings.GiveUpAge).
type memory struct {
	failing       map[position]time.Time // since when a record has been failing
	kept          map[position]struct{}  // records already kept as dead letters
	lastSucceeded time.Time              // when the consumer last got anything done
}

// position identifies a record; sequence numbers repeat from shard to shard.
type position struct{ stream, shard, sequence string }

func newMemory() memory {
	return memory{failing: map[position]time.Time{}, kept: map[position]struct{}{}}
}

// failed remembers that the record at p failed now, and returns since when it does.
func (m *memory) failed(p position, now time.Time) time.Time {
	since, known := m.failing[p]
	if !known {
		if len(m.failing) >= memorySize {
			clear(m.failing)
		}
		since = now
		m.failing[p] = now
	}
	return since
}

// done forgets a record that needs no further delivery.
func (m *memory) done(p position) { delete(m.failing, p) }

// keep remembers that the record at p is a dead letter already. Another record
// of its batch may bring it back many times; it must not be kept each time.
func (m *memory) keep(p position) {
	if len(m.kept) >= memorySize {
		clear(m.kept)
	}
	m.kept[p] = struct{}{}
	m.done(p)
}

func (m *memory) isKept(p position) bool {
	_, ok := m.kept[p]
	return ok
}
