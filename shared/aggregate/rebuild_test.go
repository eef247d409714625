package aggregate

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/shopspring/decimal"

	"sluice/shared/consumer"
	"sluice/shared/consumertest/proof"
	"sluice/shared/consumertest/wire"
)

// These tests play the rules of a rebuild on single items; mutants_test.go takes
// the rules out, one at a time. Package rebuild's tests play the whole.

func version(n int) int64 { return amount(n, "0").ID.Time() }

// window is a rebuild whose window goes from change n to change m.
func window(generation int64, n, m int) Window {
	return Window{Generation: generation, First: generation, From: version(n), Until: version(m), Limit: version(m + 1000)}
}

var (
	first  = window(1, 100, 200)
	second = window(2, 300, 400)

	closingFirst   = &Rebuilds{Phase: Closing, Current: first}
	switchingFirst = &Rebuilds{Phase: Switching, Current: first}
	closingSecond  = &Rebuilds{Phase: Closing, Current: second, Done: []Window{first}}
	doneFirst      = &Rebuilds{Done: []Window{first}, Current: first}
	doneSecond     = &Rebuilds{Done: []Window{first, second}, Current: second}
)

// rebuilt is an item as one who knows of these rebuilds writes it.
func rebuilt(name string, r *Rebuilds) Target {
	t := target(name)
	t.Sums, t.Rebuilds = []string{"Sum"}, r
	return t
}

// add adds changes and checks what becomes of all of them.
func (w *world) add(t Target, want error, list ...Amount) {
	w.t.Helper()
	table, _ := w.table(nil)
	for i, err := range add(w.t.Context(), table, t, list) {
		if consumer.OutcomeOf(err) != consumer.OutcomeOf(want) || !errors.Is(err, cmp.Or[error](want, err)) {
			w.t.Errorf("change %d to %q: %v, want %v", i, t.Group, err, want)
		}
	}
}

// standing is what an item of the source counts for after change n; name "": nowhere.
func standing(item string, n int, name, value string) Standing {
	s := Standing{Item: item, ID: amount(n, "0").ID}
	if name != "" {
		s.Target, s.Sums = rebuilt(name, nil), map[string]decimal.Decimal{"Sum": decimal.RequireFromString(value)}
	}
	return s
}

func scanned(item, name, value string) Standing {
	s := standing(item, 0, name, value)
	s.ID = first.ScannedID()
	return s
}

// stand gives standings to Stand, all in one call, and checks what becomes of each.
func (w *world) stand(r *Rebuilds, win Window, list []Standing, want ...consumer.Outcome) {
	w.t.Helper()
	table, _ := w.table(nil)
	for i, err := range table.Stand(w.t.Context(), "view", r, win, list) {
		if got := consumer.OutcomeOf(err); got != want[i] {
			w.t.Errorf("standing %d is %v, want %v: %v", i, got, want[i], err)
		}
	}
}

// switchTo switches items to a rebuild.
func (w *world) switchTo(win Window, names ...string) {
	w.t.Helper()
	table, _ := w.table(nil)
	for _, name := range names {
		if _, err := table.Switch(w.t.Context(), rebuilt(name, nil), win); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) exists(name string) bool {
	w.t.Helper()
	out, err := w.direct.GetItem(w.t.Context(), &dynamodb.GetItemInput{TableName: aws.String("sums"), Key: target(name).Key, ConsistentRead: aws.Bool(true)})
	if err != nil {
		w.t.Fatal(err)
	}
	return out.Item != nil
}

func wantN(n int) decimal.Decimal { return decimal.NewFromInt(int64(n)) }

// While the source was scanned and until all items are switched, a change behind
// the window is added to the old and the new sums, in the one update that it would
// take anyway, and any other to the old ones alone.
func TestAddBehindTheWindow(t *testing.T) {
	w := newWorld(t)
	table, calls := w.table(nil)
	list := []Amount{amount(50, "1"), amount(100, "10"), amount(200, "100"), amount(201, "1000")}
	wantOutcomes(t, add(t.Context(), table, rebuilt("a", closingFirst), list), 4, 0, 0)
	if calls.Calls() != 1 {
		t.Errorf("made %d calls, want 1", calls.Calls())
	}
	w.wantSum("a", wantN(1111))
	w.switchTo(first, "a")
	w.wantSum("a", wantN(1000))
}

// An item that was switched holds what is older than the window's end already.
func TestAddTakenByTheRebuild(t *testing.T) {
	for _, r := range []*Rebuilds{switchingFirst, doneFirst} {
		w := newWorld(t)
		w.add(rebuilt("a", closingFirst), nil, amount(201, "1000"))
		w.switchTo(first, "a")
		w.add(rebuilt("a", r), consumer.Duplicate, amount(50, "1"), amount(100, "10"), amount(200, "100"))
		w.wantSum("a", wantN(1000))
		w.add(rebuilt("a", r), nil, amount(202, "1"))
		w.wantSum("a", wantN(1001))
	}
}

// Who has slept through a switch writes nothing.
func TestOldKnowledge(t *testing.T) {
	list := amounts(600, 601)
	for name, write := range map[string]func(*Table) []error{
		"of no rebuild":    func(table *Table) []error { return add(t.Context(), table, rebuilt("a", nil), list) },
		"of the first one": func(table *Table) []error { return add(t.Context(), table, rebuilt("a", doneFirst), list) },
		"of the first one, a change of its window": func(table *Table) []error {
			return table.Stand(t.Context(), "view", doneFirst, first, []Standing{standing("i", 150, "a", "9")})
		},
		"of the first one's beginning, a change of its window": func(table *Table) []error {
			return table.Stand(t.Context(), "view", closingFirst, first, []Standing{standing("i", 150, "a", "9")})
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.add(rebuilt("a", closingSecond), nil, amount(500, "7"))
			w.switchTo(second, "a")
			table, _ := w.table(nil)
			for _, err := range write(table) {
				if !errors.Is(err, ErrGeneration) {
					t.Errorf("got %v, want %v", err, ErrGeneration)
				}
			}
			w.wantSum("a", wantN(7))
		})
	}
}

// The item is switched between the look at it that a late change takes and the
// transaction that adds it.
func TestOldKnowledgeOfALateChange(t *testing.T) {
	for _, test := range []struct{ before, known *Rebuilds }{{closingFirst, nil}, {closingSecond, doneFirst}} {
		w := newWorld(t)
		full := amounts(500, 500+Capacity+10) // spills
		w.add(rebuilt("a", test.before), nil, full...)
		table, _ := w.table(func(c wire.Call) wire.Fault {
			if c.Operation == "TransactWriteItems" {
				w.switchTo(test.before.Current, "a")
			}
			return wire.None
		})
		for _, err := range add(t.Context(), table, rebuilt("a", test.known), []Amount{amount(450, "9")}) {
			if !errors.Is(err, ErrGeneration) {
				t.Errorf("got %v, want %v", err, ErrGeneration)
			}
		}
		w.wantSum("a", total(full))
	}
}

// An item that the sweep left out is switched by whoever touches it first.
func TestLeftOut(t *testing.T) {
	for name, test := range map[string]struct {
		touch func(*world)
		want  int
	}{
		"fresh":    {func(w *world) { w.add(rebuilt("a", doneFirst), nil, amount(300, "1")) }, 6},
		"taken":    {func(w *world) { w.add(rebuilt("a", doneFirst), consumer.Duplicate, amount(50, "1")) }, 5},
		"standing": {func(w *world) { w.stand(doneFirst, first, []Standing{standing("i", 150, "a", "9")}, consumer.Applied) }, 14},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.add(rebuilt("a", closingFirst), nil, amount(10, "100"), amount(201, "5"))
			test.touch(w)
			w.wantSum("a", wantN(test.want))
			w.switchTo(first, "a") // once is enough
			w.wantSum("a", wantN(test.want))
		})
	}
	t.Run("late", func(t *testing.T) {
		w := newWorld(t)
		list := amounts(500, 500+Capacity+10) // spills
		w.add(rebuilt("a", closingFirst), nil, append(list, amount(10, "100"))...)
		w.add(rebuilt("a", doneFirst), nil, amount(300, "1"))
		w.wantSum("a", total(list).Add(wantN(1)))
	})
}

// A change that the rebuild has taken leaves its item there: else one who hasn't
// heard of the rebuild would make it, and add the change by the old rules.
func TestTakenLeavesTheItem(t *testing.T) {
	w := newWorld(t)
	w.add(rebuilt("a", doneFirst), consumer.Duplicate, amount(50, "1"))
	w.add(rebuilt("a", nil), ErrGeneration, amount(50, "1"))
	w.wantSum("a", decimal.Zero)
	if !w.exists("a") {
		t.Error("the item isn't there, want it at generation 1")
	}
}

// A change that the rebuild has taken leaves its values that are no sums, however
// late it comes: those that are newer or larger stay.
func TestTakenLeavesItsValues(t *testing.T) {
	w := newWorld(t)
	list := []Amount{full(50, 3, false), full(150, 9, false), full(199, 5, false)}
	for _, a := range []Amount{list[1], list[2], list[0]} {
		w.add(rebuilt("a", doneFirst), consumer.Duplicate, a)
	}
	w.wantItem("a", map[string]string{"Last": "value 199", "Low": "3", "High": "9", "Sum": "0"})
}

// To switch an item that nobody made makes none.
func TestSwitchNothing(t *testing.T) {
	w := newWorld(t)
	w.switchTo(first, "a")
	if w.exists("a") {
		t.Error("the item is there, want none")
	}
}

// An item of the source moves from a to b and back, and its scan and changes come
// in every order, each twice: the newest counts, once. After the switch it's the same.
func TestStandInEveryOrder(t *testing.T) {
	w := newWorld(t)
	for i, order := range permutations(4)[:proof.Size(24, 12)] {
		a, b := fmt.Sprint("a", i), fmt.Sprint("b", i)
		item := fmt.Sprint("item ", i)
		list := []Standing{scanned(item, a, "1"), standing(item, 100, b, "20"), standing(item, 150, "", ""), standing(item, 200, a, "300")}
		table, _ := w.table(nil)
		for n, at := range slices.Concat(order, order) {
			r := closingFirst
			if n >= i%8 {
				r = doneFirst
			}
			for _, err := range table.Stand(t.Context(), "view", r, first, list[at:at+1]) {
				if outcome := consumer.OutcomeOf(err); outcome == consumer.Retry || outcome == consumer.Rejected {
					t.Errorf("standing %d: %v, want it done", at, err)
				}
			}
		}
		w.switchTo(first, a, b)
		w.wantSum(a, wantN(300))
		w.wantSum(b, decimal.Zero)
	}
}

func permutations(n int) [][]int {
	if n == 0 {
		return [][]int{nil}
	}
	var all [][]int
	for _, p := range permutations(n - 1) {
		for at := range n {
			all = append(all, slices.Insert(slices.Clone(p), at, n-1))
		}
	}
	return all
}

// Somebody else writes the row just before our transaction, once when there was
// none yet, and once after we have read it.
func TestStandMeetsAnother(t *testing.T) {
	for at := 1; at <= 2; at++ {
		w := newWorld(t)
		w.stand(closingFirst, first, []Standing{standing("i", 110, "b", "1")}[:at-1], consumer.Applied)
		ours, _ := w.table(func(c wire.Call) wire.Fault {
			if c.N == at {
				w.stand(closingFirst, first, []Standing{standing("i", 150, "b", "20")}, consumer.Applied)
			}
			return wire.None
		})
		for _, err := range ours.Stand(t.Context(), "view", closingFirst, first, []Standing{standing("i", 200, "a", "300")}) {
			if consumer.OutcomeOf(err) != consumer.Applied {
				t.Error(err)
			}
		}
		w.switchTo(first, "a", "b")
		w.wantSum("a", wantN(300))
		w.wantSum("b", decimal.Zero)
	}
}

// Of one call's standings of one item the newest counts, and which of two at one
// time that is, nobody can tell.
func TestStandTogether(t *testing.T) {
	w := newWorld(t)
	tie := standing("i", 200, "b", "9")
	tie.ID[11]++
	w.stand(closingFirst, first,
		[]Standing{standing("i", 150, "a", "1"), standing("i", 200, "a", "30"), tie, standing("j", 150, "a", "500"), standing("i", 120, "b", "1")},
		consumer.Stale, consumer.Applied, consumer.Rejected, consumer.Applied, consumer.Stale)
	w.stand(closingFirst, first, []Standing{tie}, consumer.Rejected)
	w.switchTo(first, "a", "b")
	w.wantSum("a", wantN(530))
	w.wantSum("b", decimal.Zero)
}

// What DynamoDB can't hold is refused, and its company counts.
func TestStandRefused(t *testing.T) {
	w := newWorld(t)
	w.stand(closingFirst, first, []Standing{standing("i", 150, "a", "1"), standing("j", 150, "b", "1e200"), standing("k", 150, "a", "20")},
		consumer.Applied, consumer.Rejected, consumer.Applied)
	w.switchTo(first, "a")
	w.wantSum("a", wantN(21))
}

// A change of an earlier window changes nothing in an item that a later rebuild has
// scanned, but the earlier one's rows, by which items go that the later one left alone.
func TestStandOfAnEarlierRebuild(t *testing.T) {
	w := newWorld(t)
	closed := rebuilt("closed", nil)
	closed.Closes = time.UnixMicro(first.Limit) // late enough for the first
	of := func(n int, t Target, value string) Standing {
		s := standing("i", n, t.Group, value)
		s.Target = t
		return s
	}
	w.stand(doneFirst, first, []Standing{of(110, closed, "5")}, consumer.Applied)
	w.stand(doneSecond, first, []Standing{of(120, rebuilt("a", nil), "9")}, consumer.Applied)
	if w.exists("a") {
		t.Error("a is there, want what the second rebuild made of it: nothing")
	}
	w.wantSum("closed", decimal.Zero)
	w.stand(doneSecond, first, []Standing{of(130, closed, "4")}, consumer.Applied)
	w.wantSum("closed", wantN(4))
}

// A box that closes before the window's limit is none of the rebuild's: its changes
// are added as ever.
func TestClosedBox(t *testing.T) {
	w := newWorld(t)
	for i, r := range []*Rebuilds{closingFirst, switchingFirst, doneFirst} {
		box := rebuilt("a", r)
		box.Closes = time.UnixMicro(first.Limit - 1)
		w.add(box, nil, amount(150+i, "1"), amount(300+i, "10"))
		s := standing("i", 150+i, "a", "9")
		s.Target = box
		w.stand(r, first, []Standing{s}, consumer.Applied)
	}
	w.wantSum("a", wantN(33))
}

// Changes that are older than the horizon may have rows that are gone; what was
// scanned may be older: nobody else has the window's first version but one.
func TestStandBeyondTheHorizon(t *testing.T) {
	w := newWorld(t)
	table, _ := w.table(nil)
	table.Now = func() time.Time { return time.UnixMicro(first.Until).Add(horizon) }
	errs := table.Stand(t.Context(), "view", closingFirst, first, []Standing{standing("i", 150, "a", "1"), scanned("j", "a", "20")})
	if got := outcomesOf(errs); got[consumer.Rejected] != 1 || got[consumer.Applied] != 1 {
		t.Errorf("got %v, want the first rejected and the second applied", errs)
	}
	w.switchTo(first, "a")
	w.wantSum("a", wantN(20))
}

// The window of a change is that of the rebuild under way, or of one that is done;
// until the end is known it is the limit. There is none as long as nothing is.
func TestWindow(t *testing.T) {
	open := first
	open.Until = 0
	scanning := &Rebuilds{Phase: Scanning, Current: open}
	for _, test := range []struct {
		rebuilds *Rebuilds
		n        int
		want     int64
	}{
		{nil, 150, 0}, {&Rebuilds{}, 150, 0}, {&Rebuilds{Current: first}, 150, 0},
		{closingFirst, 99, 0}, {closingFirst, 100, 1}, {closingFirst, 200, 1}, {closingFirst, 201, 0},
		{scanning, 201, 1}, {scanning, 1200, 1}, {scanning, 1201, 0},
		{doneSecond, 150, 1}, {doneSecond, 250, 0}, {doneSecond, 350, 2},
	} {
		if w, within := test.rebuilds.Window(version(test.n)); within != (test.want > 0) || w.Generation != test.want {
			t.Errorf("change %d is in window %d of %+v, want %d", test.n, w.Generation, test.rebuilds, test.want)
		}
	}
}

// Rebuilds are saved by whoever read them last.
func TestSaveOvertaken(t *testing.T) {
	w := newWorld(t)
	read := func() *Rebuilds {
		byView, err := ReadRebuilds(t.Context(), w.direct, "ledger")
		if err != nil {
			t.Fatal(err)
		}
		if byView["view"] == nil {
			return &Rebuilds{}
		}
		return byView["view"]
	}
	for range 2 { // once as new ones
		ours, theirs := read(), read()
		if err := theirs.Save(t.Context(), w.direct, "ledger", "view"); err != nil {
			t.Fatal(err)
		}
		if err := ours.Save(t.Context(), w.direct, "ledger", "view"); !errors.Is(err, ErrOvertaken) {
			t.Errorf("got %v, want %v", err, ErrOvertaken)
		}
	}
}
