package rebuild

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

func start(f func(step)) (next func() (struct{}, bool), stop func()) {
	return iter.Pull(func(yield func(struct{}) bool) {
		defer func() {
			if p := recover(); p != nil && p != errStopped { //nolint:errorlint // the very value
				panic(p)
			}
		}()
		f(func() {
			if !yield(struct{}{}) {
				panic(errStopped)
			}
		})
	})
}

// play plays one schedule and returns what differs.
func play(seed uint64, without guard) error {
	m := &model{random: rand.New(rand.NewPCG(seed, 1)), without: without, now: 1, views: map[int]*modelItem{}, rows: map[rowKey]modelRow{}, offset: map[int]int{}}
	for i := range m.source {
		m.source[i].target = nobody
	}
	for target := range sorts { // wrong before
		if m.random.IntN(2) == 0 {
			it, _ := m.item(target, 0)
			it.sum, m.offset[target] = 1000, 1000
		}
	}
	rebuilds := m.random.IntN(3) // that have to be done
	starts := rebuilds           // of tools, which may be more
	aborts := m.random.IntN(3)
	if rebuilds == 0 && aborts > 0 {
		starts = 1
	}
	writes := 3 + m.random.IntN(10)
	pace := 1 + m.random.IntN(12)
	naps, awake := m.random.IntN(2) == 0, 0 // the tool, at times, isn't heard of for long
	lanes := []*instance{{}, {}}
	var tasks []*task
	running, tool := map[*instance]bool{}, false
	defer func() {
		for _, t := range tasks {
			t.stop()
		}
	}()
	for turn := 0; ; turn++ {
		if turn > 20000 {
			return errors.New("no end")
		}
		if m.random.IntN(2) == 0 {
			m.now++
		}
		if writes > 0 && m.random.IntN(pace) == 0 {
			m.now++ // versions of an item differ
			m.change()
			writes--
		}
		if !tool && (m.done < rebuilds || starts > 0 || m.state.phase == switching) && m.random.IntN(4) == 0 {
			next, stop := start(func(s step) { m.tool(s) })
			tasks, tool, starts = append(tasks, &task{next: next, stop: stop}), true, starts-1
		}
		if aborts > 0 && m.state.phase != idle && m.random.IntN(30) == 0 {
			next, stop := start(func(s step) { m.abort(s) })
			tasks, aborts = append(tasks, &task{next: next, stop: stop, aborts: true}), aborts-1
		}
		if lane := m.random.IntN(len(lanes)); len(m.pending) > 0 && !running[lanes[lane]] && m.random.IntN(6) == 0 {
			m.random.Shuffle(len(m.pending), func(i, j int) { m.pending[i], m.pending[j] = m.pending[j], m.pending[i] })
			n := 1 + m.random.IntN(min(3, len(m.pending)))
			batch := slices.Clone(m.pending[:n])
			m.pending = m.pending[n:]
			in := lanes[lane]
			next, stop := start(func(s step) { m.function(s, in, batch) })
			tasks, running[in] = append(tasks, &task{next: next, stop: stop, batch: batch, in: in}), true
		}
		if len(tasks) == 0 {
			if writes == 0 && len(m.pending) == 0 && m.done >= rebuilds && m.state.phase != switching {
				return m.judge()
			}
			continue
		}
		i := m.random.IntN(len(tasks))
		t := tasks[i]
		if !t.last && m.random.IntN(40) == 0 { // dies; its call may still land, once
			t.last = true
			switch {
			case t.aborts:
			case t.batch == nil:
				tool = false
			default:
				m.pending = append(m.pending, t.batch...)
				fresh := &instance{}
				lanes[slices.Index(lanes, t.in)] = fresh
			}
			if m.random.IntN(2) == 0 {
				t.stop()
				tasks = slices.Delete(tasks, i, i+1)
			}
			continue
		}
		if t.last && m.random.IntN(30) > 0 {
			continue // much later
		}
		if t.batch == nil && !t.aborts && m.now < awake {
			continue
		}
		if naps && m.random.IntN(6) == 0 {
			awake = m.now + m.random.IntN(60)
		}
		_, more := t.next()
		if more && !t.last {
			continue
		}
		t.stop()
		tasks = slices.Delete(tasks, i, i+1)
		if !t.last {
			switch {
			case t.aborts:
			case t.batch == nil:
				tool = false
			default:
				running[t.in] = false
			}
		}
	}
}

// judge compares the sums with the source, now and after all changes came again.
func (m *model) judge() error {
	want := map[int]int{}
	if m.state.done.generation == 0 { // given up, so as wrong as before
		maps.Copy(want, m.offset)
	}
	for _, v := range m.source {
		if v.target != nobody {
			want[v.target] += v.amount
		}
	}
	for _, when := range []string{"at the end", "after all came again"} {
		for target := range sorts {
			got := 0
			if it := m.views[target]; it != nil {
				got = it.sum
			}
			if got != want[target] {
				return fmt.Errorf("%s: target %d holds %d, want %d", when, target, got, want[target])
			}
		}
		for _, c := range m.written {
			m.function(func() {}, &instance{}, []modelChange{c})
		}
	}
	return nil
}

// TestModel plays the whole protocol.
func TestModel(t *testing.T) {
	const schedules = 3000
	first := rand.Uint64()
	for seed := first; seed < first+schedules; seed++ {
		if err := play(seed, ""); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

// TestModelNeedsEveryGuard takes the guards out, one at a time.
func TestModelNeedsEveryGuard(t *testing.T) {
	const schedules = 200_000
	for _, g := range guards {
		t.Run(string(g.guard), func(t *testing.T) {
			for seed := g.seed; seed < g.seed+schedules; seed++ {
				if err := play(seed, g.guard); err != nil {
					t.Logf("seed %d: %v", seed, err)
					return
				}
			}
			t.Errorf("in %d schedules nothing differs without it", schedules)
		})
	}
}
