package aggregate

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"sluice/shared/consumertest/proof"
)

// full is amount n with all that an amount may do: two sums, and unless it
// stands for a removal a latest, a smallest and a largest value.
func full(n, value int, removal bool) Amount {
	a := amount(n, fmt.Sprint(value))
	a.Add["Count"] = decimal.NewFromInt(1)
	if removal {
		a.Add["Count"] = decimal.NewFromInt(-1)
		return a
	}
	a.Latest = map[string]types.AttributeValue{"Last": &types.AttributeValueMemberS{Value: fmt.Sprint("value ", n)}}
	a.Smallest = map[string]decimal.Decimal{"Low": decimal.NewFromInt(int64(value))}
	a.Largest = map[string]decimal.Decimal{"High": decimal.NewFromInt(int64(value))}
	return a
}

// folded is what an item should hold after the amounts, each once.
func folded(list []Amount) map[string]string {
	want := map[string]string{}
	var sum, count decimal.Decimal
	var newest Amount
	for _, a := range list {
		sum, count = sum.Add(a.Add["Sum"]), count.Add(a.Add["Count"])
		if a.Latest == nil {
			continue
		}
		if newest.Latest == nil || string(a.ID[:]) > string(newest.ID[:]) {
			newest = a
			want["Last"] = a.Latest["Last"].(*types.AttributeValueMemberS).Value
		}
		if a.Smallest == nil {
			continue
		}
		if low := a.Smallest["Low"]; want["Low"] == "" || low.LessThan(decimal.RequireFromString(want["Low"])) {
			want["Low"] = low.String()
		}
		if high := a.Largest["High"]; want["High"] == "" || high.GreaterThan(decimal.RequireFromString(want["High"])) {
			want["High"] = high.String()
		}
	}
	want["Sum"], want["Count"] = sum.String(), count.String()
	return want
}

func (w *world) wantItem(name string, want map[string]string) {
	w.t.Helper()
	out, err := w.direct.GetItem(w.t.Context(), &dynamodb.GetItemInput{TableName: aws.String("sums"), Key: target(name).Key, ConsistentRead: aws.Bool(true)})
	if err != nil {
		w.t.Fatal(err)
	}
	got := map[string]string{}
	for name := range want {
		switch v := out.Item[name].(type) {
		case *types.AttributeValueMemberN:
			got[name] = v.Value
		case *types.AttributeValueMemberS:
			got[name] = v.Value
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Errorf("item %q (-want +got):\n%s", name, diff)
	}
}

// In order, a batch's sums, latest, smallest and largest values are one write.
func TestAddAllAtOnce(t *testing.T) {
	w := newWorld(t)
	table, calls := w.table(nil)
	list := []Amount{full(1, 5, false), full(2, 3, false), full(3, 9, false), full(4, 9, true)}
	wantOutcomes(t, add(t.Context(), table, target("a"), list), 4, 0, 0)
	w.wantItem("a", folded(list))
	if calls.Calls() != 1 {
		t.Errorf("%d calls, want 1", calls.Calls())
	}
	newer := []Amount{full(5, 10, false)} // a larger one
	newer[0].Smallest = nil               // which it wouldn't be: that costs a second write
	wantOutcomes(t, add(t.Context(), table, target("a"), newer), 1, 0, 0)
	if calls.Calls() != 2 {
		t.Errorf("%d calls after a second batch in order, want 2", calls.Calls())
	}
}

// Every order of five changes, each delivered twice: an older change comes after
// a newer one, a removal in between, two at the same time. Fails if latest values
// are set without a condition, or by time alone.
func TestLatestInEveryOrder(t *testing.T) {
	changes := []Amount{full(1, 4, false), full(2, 7, false), full(2, 1, false), full(3, 2, true), full(4, 2, false)}
	changes[2].ID[11] = 200 // the same time, another change
	changes[2].Latest["Last"] = &types.AttributeValueMemberS{Value: "tied"}
	alone := slices.Clone(changes)
	for i := range alone { // no other condition, whose refusal would bring the item and so the latest
		alone[i].Smallest, alone[i].Largest = nil, nil
	}
	for _, changes := range [][]Amount{changes, changes[:4], alone, alone[:4]} { // with and without a newest that hides the tie
		want := folded(changes)
		w := newWorld(t)
		table, _ := w.table(nil)
		n := 0
		permute(changes, func(order []Amount) {
			if n++; n%proof.Size(1, 6) != 0 {
				return
			}
			name := fmt.Sprint("item", n)
			for _, a := range order {
				for range 2 {
					add(t.Context(), table, target(name), []Amount{a})
				}
			}
			if !t.Failed() { // one order that fails says enough
				w.wantItem(name, want)
			}
		})
	}
}

func permute(list []Amount, visit func([]Amount)) {
	var step func(int)
	step = func(k int) {
		if k == len(list) {
			visit(list)
			return
		}
		for i := k; i < len(list); i++ {
			list[k], list[i] = list[i], list[k]
			step(k + 1)
			list[k], list[i] = list[i], list[k]
		}
	}
	list = slices.Clone(list)
	step(0)
}

// The only ids up to the spill time are of removals, which have no latest value;
// a late insert may then bring the newest one. Fails if late changes leave latest
// values alone, or set them without a condition.
func TestLatestOfLateChanges(t *testing.T) {
	w := newWorld(t)
	table, _ := w.table(nil)
	list := []Amount{full(0, 1, false)}
	for n := range Capacity + 10 {
		list = append(list, full(100+n, 1, true))
	}
	add(t.Context(), table, target("a"), list)
	for _, n := range []int{50, 20, 90, 10} { // all late
		late := full(n, n, false)
		list = append(list, late)
		wantOutcomes(t, add(t.Context(), table, target("a"), []Amount{late}), 1, 0, 0)
		wantOutcomes(t, add(t.Context(), table, target("a"), []Amount{late}), 0, 1, 0)
		w.wantItem("a", folded(list))
	}
}

// The process dies before or after any call of a batch that is fresh, late and
// worse than what is there; then the batch comes again.
func TestValuesCrashAtEveryCall(t *testing.T) {
	var before, batch []Amount
	for n := range Capacity + 10 {
		before = append(before, full(100+n, 50+n, n%3 == 0))
	}
	for n := range 12 {
		batch = append(batch, full(20+n, 20+n, false), full(100+Capacity-20+n, 30, false), full(300+n, 500-n, n > 9))
	}
	for i := range batch { // their own ids, even at the time of one before
		batch[i].ID[10] = 77
	}
	want := folded(append(slices.Clone(before), batch...))
	crashAtEveryCall(t, 4, before, batch, func(w *world) { w.wantItem("a", want) })
}

// Two instances with everything, shuffled and repeated, over a faulty wire.
func TestValuesUnderFaults(t *testing.T) {
	for range proof.Size(12, 4) {
		seed := rand.Uint64()
		t.Run("", func(t *testing.T) {
			t.Parallel()
			t.Logf("seed %d", seed)
			w := newWorld(t)
			random := rand.New(rand.NewPCG(seed, 0))
			var list []Amount
			for n := range random.IntN(2*Capacity) + 1 {
				list = append(list, full(n/2, random.IntN(100), random.IntN(4) == 0))
				list[n].ID[10] = byte(n)
			}
			var orders [2][]Amount
			var sizes [2]int
			for i := range orders {
				order := slices.Clone(list)
				random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
				orders[i], sizes[i] = order, random.IntN(len(order))+1
			}
			w.addSideBySide(faulty(random, 0.7), orders, sizes)
			w.wantItem("a", folded(list))
		})
	}
}
