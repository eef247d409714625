package rebuild

import (
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
)

// The model plays the protocol of doc.go in small: a few source items and
// targets, functions and a tool whose every call to a table is one atomic step,
// in random interleavings, with crashes, repeated and late deliveries, calls that
// land long after their caller died, and targets that were wrong before. The
// steps' names are those of the code. A guard is a thing that the protocol does;
// taken out, the model must find sums that differ.

type guard string

const (
	generations guard = "a write names the item's generation"
	rowOnce     guard = "a row is written as it was read"
	newer       guard = "an older change leaves the row"
	windows     guard = "changes before the window are in the scan"
	alike       guard = "changes behind the window add to sums and shadows"
	waitFrom    guard = "the scan waits for the window to begin"
	announced   guard = "the window is announced before it begins"
	endAhead    guard = "the window's end is announced before it comes"
	abandon     guard = "what was announced too late is begun anew"
	settling    guard = "a change that adds nothing leaves its item at the generation"
	scanOnce    guard = "the scan leaves rows that are there"
	tooLate     guard = "a rebuild isn't given up once it switches"
	numbers     guard = "a rebuild that was given up leaves its number used"
)

// guards are all of them, each with the seed of a schedule that shows its absence.
// Some show only in one of thousands; if the model changes, the test looks on from there.
var guards = []struct {
	guard guard
	seed  uint64
}{
	{generations, 90}, {rowOnce, 642}, {newer, 138}, {windows, 19}, {alike, 192653}, {waitFrom, 3}, {announced, 2718},
	{endAhead, 5722}, {abandon, 11524}, {settling, 10959}, {scanOnce, 11}, {tooLate, 322}, {numbers, 10},
}

const (
	fresh  = 10 // how long a function trusts what it knows
	slack  = 25 // how far ahead the tool announces
	items  = 3
	sorts  = 2
	nobody = -1 // target of an item that isn't there
)

type modelWindow struct {
	generation, from, until int // until 0: open
}

type modelPhase int

const (
	idle modelPhase = iota
	opening
	scanning
	closing
	switching
)

type modelState struct {
	revision int
	done     modelWindow // generation 0: none
	current  modelWindow
	phase    modelPhase
}

// base is the generation that items should have, and its window.
func (s modelState) base() modelWindow {
	if s.phase == switching {
		return s.current
	}
	return s.done
}

type modelValue struct{ target, amount int }

type modelItem struct {
	sum, generation int
	shadow          map[int]int
	ids             map[modelChange]bool
}

type modelRow struct {
	version int
	value   modelValue
}

type rowKey struct{ generation, item int }

type modelChange struct {
	version, item int
	before, after modelValue
}

type model struct {
	random  *rand.Rand
	without guard
	now     int
	source  [items]modelValue
	written []modelChange
	views   map[int]*modelItem
	rows    map[rowKey]modelRow
	state   modelState
	pending []modelChange
	done    int         // generations done
	offset  map[int]int // by which the sums were wrong before
}

// step ends the running task's turn; what follows is one call to a table.
type step func()

var errGeneration = errors.New("another generation")

// item returns a target's item for a write at generation; absent ones are made.
func (m *model) item(target, generation int) (*modelItem, error) {
	it := m.views[target]
	if it == nil {
		it = &modelItem{generation: generation, shadow: map[int]int{}, ids: map[modelChange]bool{}}
		m.views[target] = it
	}
	if it.generation != generation && m.without != generations {
		return it, errGeneration
	}
	return it, nil
}

func (it *modelItem) switchTo(generation int) {
	if it.generation < generation {
		it.sum, it.generation = it.shadow[generation], generation
		maps.DeleteFunc(it.shadow, func(g, _ int) bool { return g <= generation })
	}
}

// switchIfOlder brings an item that is behind to the generation; otherwise the
// state that the function knows is old.
func (m *model) switchIfOlder(s step, it *modelItem, generation int) error {
	if it.generation > generation {
		return errGeneration
	}
	s()
	it.switchTo(generation)
	return nil
}

func (m *model) add(s step, state modelState, c modelChange, v modelValue, shadow int) error {
	for {
		s()
		it, err := m.item(v.target, state.base().generation)
		if err != nil {
			if err := m.switchIfOlder(s, it, state.base().generation); err != nil {
				return err
			}
			continue
		}
		if it.ids[c] {
			return nil
		}
		it.ids[c] = true
		it.sum += v.amount
		if shadow > 0 {
			it.shadow[shadow] += v.amount
		}
		return nil
	}
}

func (m *model) settle(s step, generation, target int) error {
	if m.without == settling {
		return nil
	}
	for {
		s()
		it, err := m.item(target, generation)
		if err == nil {
			return nil
		}
		if err := m.switchIfOlder(s, it, generation); err != nil {
			return err
		}
	}
}

// put is the row protocol: last writer wins for each source item.
func (m *model) put(s step, state modelState, w modelWindow, version, item int, after modelValue) error {
	key := rowKey{w.generation, item}
	generation := state.base().generation
	for {
		s()
		row, found := m.rows[key]
		if found && row.version >= version && m.without != newer {
			return nil
		}
		if !found {
			row.value.target = nobody
		}
		s()
		if again, ok := m.rows[key]; m.without != rowOnce && (ok != found || ok && again != row) {
			continue
		}
		behind, err := m.move(w.generation, generation, row.value, after)
		if behind != nil {
			if err := m.switchIfOlder(s, behind, generation); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		m.rows[key] = modelRow{version, after}
		return nil
	}
}

// move is the targets' part of the row's transaction.
func (m *model) move(window, generation int, from, to modelValue) (behind *modelItem, err error) {
	type part struct {
		it     *modelItem
		amount int
	}
	var parts []part
	for _, p := range []modelValue{{from.target, -from.amount}, to} {
		if p.target == nobody {
			continue
		}
		if it := m.views[p.target]; it != nil && it.generation != generation && m.without != generations {
			return it, errGeneration
		}
		it, _ := m.item(p.target, generation)
		parts = append(parts, part{it, p.amount})
	}
	for _, p := range parts {
		if window == generation {
			p.it.sum += p.amount
		} else {
			p.it.shadow[window] += p.amount
		}
	}
	return nil, nil
}

func (m *model) apply(s step, state modelState, c modelChange) error {
	base, next := state.base(), state.current
	if state.phase == idle || state.phase == switching {
		next = modelWindow{}
	}
	settled := base.generation > 0 && c.version <= until(base)
	if m.without == windows {
		settled = settled && c.version >= base.from
	}
	shadow := 0
	if next.generation > 0 && next.until > 0 && c.version > next.until && m.without != alike {
		shadow = next.generation
	}
	parts := []modelValue{{c.before.target, -c.before.amount}, c.after}
	if c.before.target == c.after.target {
		parts = []modelValue{{c.after.target, c.after.amount - c.before.amount}}
	}
	for _, p := range parts {
		if p.target == nobody {
			continue
		}
		var err error
		if settled {
			err = m.settle(s, base.generation, p.target)
		} else {
			err = m.add(s, state, c, p, shadow)
		}
		if err != nil {
			return err
		}
	}
	for _, w := range []modelWindow{base, next} {
		if w.generation > 0 && c.version >= w.from && c.version <= until(w) {
			if err := m.put(s, state, w, c.version, c.item, c.after); err != nil {
				return err
			}
		}
	}
	return nil
}

func until(w modelWindow) int {
	if w.until == 0 {
		return 1 << 30
	}
	return w.until
}

// instance is one instance of the function: what it knows and since when.
type instance struct {
	state modelState
	read  int
	knows bool
}

func (m *model) function(s step, in *instance, batch []modelChange) {
	if !in.knows || m.now-in.read > fresh {
		at := m.now
		s()
		in.state, in.read, in.knows = m.state, at, true
	}
	for _, c := range batch {
		for m.apply(s, in.state, c) != nil {
			at := m.now
			s()
			in.state, in.read = m.state, at
		}
	}
}

// save writes the state if it is as it was read.
func (m *model) save(s step, was, will modelState) bool {
	s()
	if m.state.revision != was.revision {
		return false
	}
	will.revision = was.revision + 1
	m.state = will
	return true
}

// abort gives up the rebuild that is under way, if that may be.
func (m *model) abort(s step) {
	for {
		s()
		was := m.state
		if was.phase == idle || was.phase == switching && m.without != tooLate {
			return
		}
		will := was
		if will.phase = idle; m.without == numbers {
			will.current = modelWindow{}
		}
		if m.save(s, was, will) {
			return
		}
	}
}

func (m *model) tool(s step) {
	lead := slack
	for first := true; ; first = false {
		s()
		was, seen := m.state, m.now
		will := was
		inTime := func(at int) bool { return seen <= at-fresh || m.without == abandon }
		begin := func() {
			lead := lead
			if m.without == announced {
				lead = 0
			}
			will.phase, will.current = opening, modelWindow{generation: max(was.current.generation, was.done.generation) + 1, from: max(m.now, was.done.until) + lead}
		}
		switch was.phase {
		case idle:
			if !first {
				return // it is done, or was given up
			}
			begin()
		case opening:
			if will.phase = scanning; !inTime(was.current.from) && m.without != announced {
				begin()
			}
		case scanning:
			for m.now < was.current.from && m.without != waitFrom {
				s()
			}
			m.scan(s, was)
			will.phase, will.current.until = closing, m.now+lead
			if m.without == endAhead {
				will.current.until = m.now
			}
		case closing:
			if will.phase = switching; !inTime(was.current.until) && m.without != endAhead {
				begin()
			}
		case switching:
			for _, target := range slices.Sorted(maps.Keys(m.views)) {
				s()
				m.views[target].switchTo(was.current.generation)
			}
			will.phase, will.done = idle, was.current
		}
		if m.save(s, was, will) && will.phase == idle {
			m.done++
		}
	}
}

func (m *model) scan(s step, state modelState) {
	w := state.current
	for item := range items {
		s()
		value := m.source[item]
		if value.target == nobody {
			continue
		}
		s()
		key := rowKey{w.generation, item}
		if _, there := m.rows[key]; there && m.without != scanOnce {
			continue
		}
		if behind, _ := m.move(w.generation, state.done.generation, modelValue{target: nobody}, value); behind != nil {
			if behind.generation > state.done.generation {
				return // somebody else's run has come further
			}
			behind.switchTo(state.done.generation)
			_, _ = m.move(w.generation, state.done.generation, modelValue{target: nobody}, value)
		}
		m.rows[key] = modelRow{w.from - 1, value}
	}
}

// change writes to the source.
func (m *model) change() {
	item := m.random.IntN(items)
	after := modelValue{m.random.IntN(sorts), 1 + m.random.IntN(9)}
	if m.random.IntN(3) == 0 {
		after = modelValue{target: nobody}
	}
	before := m.source[item]
	if before == after {
		return
	}
	c := modelChange{m.now, item, before, after}
	m.source[item] = after
	m.written = append(m.written, c)
	for range 1 + m.random.IntN(2) {
		m.pending = append(m.pending, c)
	}
}

// task is a function's batch or the tool, on its way.
type task struct {
	next   func() (struct{}, bool)
	stop   func()
	batch  []modelChange // nil: the tool
	in     *instance
	aborts bool
	last   bool // its caller died; the next call still lands, and is the last
}

var errStopped = errors.New("stopped")
