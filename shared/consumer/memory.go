package consumer

import (
	"strings"
	"time"
)

// What a function remembers of records between batches is bounded.
const (
	maxFailing  = 10_000
	maxKept     = 10_000
	maxFinished = 20_000 // twice as many as a batch has at most
	// maxDestinations is far more than a consumer has that names its destinations as At says.
	maxDestinations = 1_000
)

// memory is what one function instance remembers of troublesome records from
// one delivery to the next. Lambda doesn't say how often it delivered a record,
// so this is the only way to tell one that keeps failing from one that fails
// for the first time. It is lost when the instance ends; then counting begins
// anew, and the record's age is what decides in the end (Settings.GiveUpAge).
//
// A record's strings stand in the buffer of its batch. What is stored here is a
// copy, or one short string would keep all data of its batch in memory.
type memory struct {
	failing      map[position]failures // records that have to come again
	kept         positions             // records already kept as dead letters
	finished     positions             // records that need nothing more, behind one that does
	destinations map[string]*destination
	turn         int // of the finished records that are handed over once more, see release
}

// failures has how a record has been failing, once for each destination. Most records fail at one: a map
// would take eight times the memory of a slice.
type failures []failure

type failure struct {
	destination string

	first time.Time // it has failed at each delivery since
	since time.Time // and others have got on there between any two failures since
	last  time.Time
}

// at returns the failure at a destination, and whether there is one.
func (all failures) at(destination string) (failure, bool) {
	for _, f := range all {
		if f.destination == destination {
			return f, true
		}
	}
	return failure{}, false
}

// position identifies a record; sequence numbers repeat from shard to shard.
type position struct{ stream, shard, sequence string }

// clone returns a position that keeps no batch in memory. The names of stream and shard
// are the decoder's own, the same for all records.
func (p position) clone() position {
	p.sequence = strings.Clone(p.sequence)
	return p
}

// positions is a set of so many positions at most: the oldest is forgotten first.
type positions struct {
	limit int
	set   map[position]struct{}
	order []position // a ring once it is full
	next  int
}

func (s *positions) has(p position) bool {
	_, ok := s.set[p]
	return ok
}

func (s *positions) add(p position) {
	if s.has(p) {
		return
	}
	if s.set == nil {
		s.set = map[position]struct{}{}
	}
	p = p.clone()
	s.set[p] = struct{}{}
	if len(s.order) < s.limit {
		s.order = append(s.order, p)
		return
	}
	delete(s.set, s.order[s.next])
	s.order[s.next] = p
	s.next = (s.next + 1) % s.limit
}

func newMemory() memory {
	return memory{
		failing: map[position]failures{}, kept: positions{limit: maxKept}, finished: positions{limit: maxFinished},
		destinations: map[string]*destination{},
	}
}

// destination returns what is known of the one with this name.
func (m *memory) destination(name string) *destination {
	d := m.destinations[name]
	if d == nil {
		if len(m.destinations) >= maxDestinations {
			clear(m.destinations)
		}
		d = &destination{name: strings.Clone(name)}
		m.destinations[d.name] = d
	}
	return d
}

// failed remembers at which destinations the record at p failed now, and returns
// how it has been failing at each of them.
//
// Where nothing got done since it last failed, the destination is down, or was, and
// the change isn't to blame: its time among others that succeed begins anew. So a
// change that happens to fail once more when an outage ends, or failed once before
// it began, isn't stuck.
func (m *memory) failed(p position, ends []end, now time.Time) failures {
	before, known := m.failing[p]
	if !known && len(m.failing) >= maxFailing {
		clear(m.failing)
	}
	var current failures // what doesn't fail any more is forgotten
	for _, e := range ends {
		if e.outcome != Retry {
			continue
		}
		d := m.destination(e.destination)
		if _, twice := current.at(d.name); twice {
			continue
		}
		f, ok := before.at(d.name)
		if !ok {
			f.destination, f.first = d.name, now
		}
		if !ok || !d.lastSucceeded.After(f.last) {
			f.since = now
		}
		f.last = now
		current = append(current, f)
	}
	m.failing[p.clone()] = current
	return current
}

// done forgets a record that needs no further delivery.
func (m *memory) done(p position) { delete(m.failing, p) }

// keep remembers that the record at p is a dead letter already. Another record
// of its batch may bring it back many times; it must not be kept each time.
func (m *memory) keep(p position) {
	m.kept.add(p)
	m.done(p)
}

// isDone reports whether the record at p needs nothing more from this instance.
func (m *memory) isDone(p position) bool { return m.kept.has(p) || m.finished.has(p) }
