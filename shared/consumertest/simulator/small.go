package simulator

import (
	"slices"
	"sync"
	"testing"

	"sluice/shared/consumertest"
	"sluice/shared/consumertest/wire"
)

// EveryOrder delivers the changes of one item in every order that there is,
// with every one of them repeated at every place: 1,800 orders of five changes.
// item returns the history of the n-th item, which must be the same for each n
// but for the keys; each order is tried on an item of its own. Each change is
// delivered in a batch without others of its item.
func EveryOrder(t *testing.T, s Suite, item func(n int) []consumertest.Change) {
	t.Helper()
	var shares [workers][][]int
	for n, order := range orders(len(item(0))) {
		shares[n%workers] = append(shares[n%workers], order)
	}
	var side sync.WaitGroup
	for worker, share := range shares {
		db := database{s.Database(t), newEngine()}
		defer db.engine.close()
		side.Go(func() {
			var changes []consumertest.Change
			var batches [lanes][][]record
			for n := range share {
				changes = append(changes, item(n*workers+worker)...)
			}
			of := len(item(0))
			for place := range of + 1 { // each order's first change, each one's second, …
				var step []record
				for n, order := range share {
					c := &changes[n*of+order[place]]
					step = append(step, record{c, c.Record()})
				}
				batches[0] = slices.AppendSeq(batches[0], slices.Chunk(step, maxBatch))
			}
			if r := s.playChanges(t, db, schedule{}, changes, batches); r.failed() {
				t.Errorf("%s: of %d orders run, 1 differed or more, such as:\n%s", s.Name, len(share), r.problems[0])
			}
		})
	}
	side.Wait()
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
	var changes []consumertest.Change
	known := map[string]bool{}
	var deliveries [lanes][][]record
	for _, batch := range batches {
		var records []record
		for i := range batch {
			data := batch[i].Record()
			records = append(records, record{&batch[i], data})
			if !known[string(data)] {
				known[string(data)], changes = true, append(changes, batch[i])
			}
		}
		for lane := range deliveries {
			deliveries[lane] = append(deliveries[lane], records)
		}
	}
	slices.SortStableFunc(changes, func(a, b consumertest.Change) int { return a.Written().Compare(b.Written()) })
	db := database{s.Database(t), newEngine()}
	defer db.engine.close()
	crashes := 0
	for at := 0; ; at++ {
		for _, crash := range []wire.Fault{wire.Crash, wire.CrashAfter} {
			decisions := make([]decision, at+1)
			for n := range decisions {
				decisions[n].pick = n // in turns
			}
			decisions[at].fault = crash
			r := s.playChanges(t, db, schedule{decisions: decisions, takeTurns: true}, changes, deliveries)
			if r.failed() {
				t.Fatalf("%s: %d crashes run, 1 differed: %v, which is call %d\n%s", s.Name, crashes+1, crash, at+1, r.failure(0))
			}
			if !r.crashed {
				t.Logf("%s: %d crashes run, each at another point, 0 differed", s.Name, crashes)
				return
			}
			crashes++
		}
	}
}
