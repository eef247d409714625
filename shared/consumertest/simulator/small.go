package simulator

import (
	"slices"
	"sync"
	"testing"

	"sluice/shared/consumertest"
	"sluice/shared/consumertest/proof"
	"sluice/shared/consumertest/wire"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// EveryOrder delivers the changes of one item in every order that there is,
// with every one of them repeated at every place: 1,800 orders of five changes.
// item returns the history of the n-th item, which must be the same for each n
// but for the keys; each order is tried on an item of its own. Each change is
// delivered in a batch without others of its item.
func EveryOrder(t *testing.T, s Suite, item func(n int) []consumertest.Change) {
	t.Helper()
	var shares [workers][][]int
	all := proof.Thin(orders(len(item(0))))
	for n, order := range all {
		shares[n%workers] = append(shares[n%workers], order)
	}
	of := len(item(0))
	for n, r := range sideBySide(t, newDatabases(t, s.Database), min(workers, len(all)), func(worker int, db database) *run {
		var changes []consumertest.Change
		var batches [lanes][][]record
		for n := range shares[worker] {
			changes = append(changes, item(n*workers+worker)...)
		}
		for place := range of + 1 { // each order's first change, each one's second, …
			var step []consumertest.Change
			for n, order := range shares[worker] {
				step = append(step, changes[n*of+order[place]])
			}
			batches[0] = slices.AppendSeq(batches[0], slices.Chunk(records(step), maxBatch))
		}
		return s.playChanges(t, db, schedule{}, changes, batches)
	}) {
		if r.failed() {
			t.Errorf("%s: of %d orders run, 1 differed or more, such as:\n%s", s.Name, len(shares[n]), r.problems[0])
		}
	}
}

// orders returns every order of n things of which one comes twice.
func orders(n int) [][]int {
	var all [][]int
	left := make([]int, n)
	for i := range left {
		left[i] = 1
	}
	var order []int
	var place func()
	place = func() {
		if len(order) == n+1 {
			all = append(all, slices.Clone(order))
			return
		}
		for i := range left {
			if left[i] == 0 {
				continue
			}
			left[i]--
			order = append(order, i)
			place()
			order = order[:len(order)-1]
			left[i]++
		}
	}
	for twice := range n {
		left[twice] = 2
		place()
		left[twice] = 1
	}
	return all
}

// EveryCrash delivers the batches, in which changes may be repeated, to two
// pollers at once, again and again: each time the instance dies at another one
// of its calls, once before and once after the call has its effect.
func EveryCrash(t *testing.T, s Suite, batches ...[]consumertest.Change) {
	t.Helper()
	var deliveries [lanes][][]record
	for _, batch := range batches {
		for lane := range deliveries {
			deliveries[lane] = append(deliveries[lane], records(batch))
		}
	}
	changes := inOrder(slices.Concat(batches...))
	databases := newDatabases(t, s.Database)
	crashes := 0
	apart := proof.Share() // how far the calls are apart at which instances die
	for first := 0; ; first += workers * apart {
		runs := sideBySide(t, databases, 2*workers, func(n int, db database) *run { // two for each call
			decisions := make([]decision, first+n/2*apart+1)
			for i := range decisions {
				decisions[i].pick = i // in turns
			}
			decisions[len(decisions)-1].fault = []wire.Fault{wire.Crash, wire.CrashAfter}[n%2]
			return s.playChanges(t, db, schedule{decisions: decisions, takeTurns: true}, changes, deliveries)
		})
		for _, r := range runs {
			if r.failed() {
				call := len(r.schedule.decisions)
				last := r.schedule.decisions[call-1]
				t.Fatalf("%s: %d crashes run, 1 differed: %v, which is call %d\n%s", s.Name, crashes+1, last.fault, call, r.failure(0))
			}
			if !r.crashed {
				t.Logf("%s: %d crashes run, each at another point, 0 differed", s.Name, crashes)
				return
			}
			crashes++
		}
	}
}

// newDatabases returns those that the workers take turns at.
func newDatabases(t *testing.T, config func(testing.TB) aws.Config) chan database {
	databases := make(chan database, workers)
	for range workers {
		databases <- database{config(t), newEngine(t)}
	}
	return databases
}

// sideBySide plays n schedules, each on a database that no other has meanwhile.
func sideBySide(t *testing.T, databases chan database, n int, play func(n int, db database) *run) []*run {
	runs := make([]*run, n)
	var side sync.WaitGroup
	for n := range runs {
		db := <-databases
		side.Go(func() {
			defer func() { databases <- db }()
			runs[n] = play(n, db)
		})
	}
	side.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return runs
}

// maxInterleavings bounds the worlds that EveryInterleaving takes.
const maxInterleavings = 2_000

// EveryInterleaving delivers to each of two pollers batches of its own, again and
// again, until their calls have gone in every order that there is. crashes is how
// many times, in each of these, an instance dies just after a call, whichever.
func EveryInterleaving(t *testing.T, s Suite, crashes int, first, second [][]consumertest.Change) {
	t.Helper()
	var changes []consumertest.Change
	var deliveries [lanes][][]record
	for lane, batches := range [lanes][][]consumertest.Change{first, second} {
		for _, batch := range batches {
			deliveries[lane] = append(deliveries[lane], records(batch))
			changes = append(changes, batch...)
		}
	}
	changes = inOrder(changes)
	databases := newDatabases(t, s.Database)
	ran := 0
	// Each round are the schedules that depart once more from the first one, in
	// which poller A goes first: so the failure that is told departs least.
	for round := [][]decision{nil}; len(round) > 0; {
		if ran += len(round); ran > maxInterleavings {
			t.Fatalf("%s: more than %d interleavings; make the world smaller", s.Name, maxInterleavings)
		}
		runs := sideBySide(t, databases, len(round), func(n int, db database) *run {
			return s.playChanges(t, db, schedule{decisions: round[n], onlyLive: true}, changes, deliveries)
		})
		var next [][]decision
		for n, r := range runs {
			if r.failed() {
				t.Fatalf("%s: %d interleavings run, 1 differed:\n%s", s.Name, ran, r.failure(0))
			}
			next = append(next, departures(round[n], r.choices, crashes)...)
		}
		round = proof.Thin(next)
	}
	t.Logf("%s: %d interleavings run, 0 differed", s.Name, ran)
}

// departures are the decisions of a run, of which only the first were given,
// each with one more that differs: after those given, so that none comes twice.
func departures(given []decision, choices []int, crashes int) [][]decision {
	for _, d := range given {
		if d.fault == wire.CrashAfter {
			crashes--
		}
	}
	var all [][]decision
	for at := len(given); at < len(choices); at++ {
		depart := func(d decision) {
			decisions := make([]decision, at+1) // the first call goes through
			copy(decisions, given)
			decisions[at] = d
			all = append(all, decisions)
		}
		for pick := range choices[at] {
			if pick > 0 {
				depart(decision{pick: pick})
			}
			if crashes > 0 {
				depart(decision{pick: pick, fault: wire.CrashAfter})
			}
		}
	}
	return all
}

// records are those of a batch of changes.
func records(batch []consumertest.Change) []record {
	list := make([]record, len(batch))
	for i := range batch {
		list[i] = record{&batch[i], batch[i].Record()}
	}
	return list
}

// inOrder returns each change once, in the order of their times.
func inOrder(changes []consumertest.Change) []consumertest.Change {
	known := map[string]bool{}
	var once []consumertest.Change
	for _, c := range changes {
		if data := string(c.Record()); !known[data] {
			known[data], once = true, append(once, c)
		}
	}
	slices.SortStableFunc(once, func(a, b consumertest.Change) int { return a.Written().Compare(b.Written()) })
	return once
}
