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
	failing      map[position]failures  // records that have to come again
	kept         map[position]struct{}  // records already kept as dead letters
	destinations map[string]destination // by their names, see At
}

// failures are since when a record has been failing, by destination.
type failures map[string]failure

type failure struct {
	since time.Time // others have got on between any two failures since then
	last  time.Time
}

// destination is what is known of one.
type destination struct {
	lastSucceeded time.Time // when anything last got done there
	downSince     time.Time // since when changes fail there and none succeeds; zero: they don't
}

// position identifies a record; sequence numbers repeat from shard to shard.
type position struct{ stream, shard, sequence string }

func newMemory() memory {
	return memory{failing: map[position]failures{}, kept: map[position]struct{}{}, destinations: map[string]destination{}}
}

// succeeded remembers that something got done at a destination.
func (m *memory) succeeded(name string, now time.Time) {
	m.destinations[name] = destination{lastSucceeded: now}
}

// down remembers that nothing got done at a destination although it should have,
// and returns since when that is so.
func (m *memory) down(name string, now time.Time) time.Time {
	d := m.destinations[name]
	if d.downSince.IsZero() {
		d.downSince = now
		m.destinations[name] = d
	}
	return d.downSince
}

// failed remembers at which destinations the record at p failed now, and returns
// for how long it has been failing at all of them while others got on there.
//
// Where nothing got done since it last failed, the destination is down, or was, and
// the change isn't to blame: it is judged anew. So a change that happens to fail
// once more when an outage ends, or failed once before it began, isn't stuck.
func (m *memory) failed(p position, ends []end, now time.Time) time.Duration {
	before, known := m.failing[p]
	if !known && len(m.failing) >= memorySize {
		clear(m.failing)
	}
	current := failures{} // what doesn't fail any more is forgotten
	since := time.Time{}
	for _, e := range ends {
		if e.outcome != Retry {
			continue
		}
		f, ok := before[e.destination]
		if !ok || !m.destinations[e.destination].lastSucceeded.After(f.last) {
			f.since = now
		}
		f.last = now
		current[e.destination] = f
		if f.since.After(since) {
			since = f.since
		}
	}
	m.failing[p] = current
	return now.Sub(since)
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
