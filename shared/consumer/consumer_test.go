package consumer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/shared/change"
	"sluice/shared/consumertest"
)

func TestOutcomeOf(t *testing.T) {
	for _, test := range []struct {
		err  error
		want Outcome
	}{
		{nil, Applied},
		{Applied, Applied},
		{Duplicate, Duplicate},
		{Stale, Stale},
		{fmt.Errorf("version 5: %w", Stale), Stale},
		{Skip, Skip},
		{Retry, Retry},
		{errors.New("anything"), Retry},
		{context.DeadlineExceeded, Retry},
		{Reject(errors.New("no score")), Rejected},
		{fmt.Errorf("player: %w", RejectFor(TooOld, errors.New("17 days"))), Rejected},
		{Reject(Stale), Rejected}, // the reason doesn't change the outcome
	} {
		if got := OutcomeOf(test.err); got != test.want {
			t.Errorf("OutcomeOf(%v) is %v, want %v", test.err, got, test.want)
		}
	}
}

// What becomes of a change in whose place a newer one was written. Fails if an older one is done with though the newer one comes again.
func TestPassedOver(t *testing.T) {
	throttled := errors.New("throttled")
	for _, test := range []struct {
		newer error
		same  bool
		want  error
	}{
		{nil, false, Stale}, {nil, true, Duplicate}, {Stale, false, Stale}, {Duplicate, true, Duplicate}, {throttled, false, throttled}, {throttled, true, throttled},
	} {
		i := Item[int, int]{Versions: []*Version[int, int]{{Rank: 2}, {Rank: map[bool]int{true: 2}[test.same]}}}
		i.Apply(func(*Version[int, int], bool) error { return test.newer })
		if got := i.Versions[1].Err; !errors.Is(got, test.want) {
			t.Errorf("after %v, same version %v: %v, want %v", test.newer, test.same, got, test.want)
		}
	}
}

// The outcome of a change with several parts. Fails if one that is done hides one that
// isn't.
func TestCombine(t *testing.T) {
	reject, retry := Reject(errors.New("bad")), errors.New("throttled")
	for _, test := range []struct {
		parts []error
		want  Outcome
	}{
		{nil, Skip},
		{[]error{Skip, nil}, Applied},
		{[]error{Duplicate, nil}, Applied},
		{[]error{Skip, Duplicate}, Duplicate},
		{[]error{Stale, Skip}, Stale},
		{[]error{nil, reject}, Rejected},
		{[]error{reject, retry, nil}, Retry},
	} {
		if got := OutcomeOf(Combine(test.parts)); got != test.want {
			t.Errorf("%v make %v, want %v", test.parts, got, test.want)
		}
	}
}

// modify is a change of an item at a time, n µs after Arrival.
func modify(t *testing.T, key string, n int) *change.Change {
	t.Helper()
	item := consumertest.Item{"Id": consumertest.S(key)}
	c, err := change.Parse(consumertest.Change{Table: "T", Time: consumertest.Arrival.Add(time.Duration(n) * time.Microsecond), Keys: item, New: item, Old: item}.Record())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Changes of one item are applied oldest first, and later ones wait for one
// that fails; other items go on.
func TestEachHoldsUpOnlyTheSameItem(t *testing.T) {
	var mu sync.Mutex
	var applied []string
	c := Each(applyFunc(func(ctx context.Context, c *change.Change) error {
		name, err := c.Keys.String("Id")
		if err != nil {
			return err
		}
		if got, want := ItemOf(ctx), c.ItemKey(); got != want {
			t.Errorf("the context tells item %q, want %q", got, want)
		}
		mu.Lock()
		defer mu.Unlock()
		applied = append(applied, fmt.Sprintf("%s%d", name, c.Version-consumertest.Arrival.UnixMicro()))
		if name == "a" && len(applied) > 0 && applied[len(applied)-1] == "a2" {
			return errors.New("throttled")
		}
		return nil
	}))
	errs := c.ApplyBatch(t.Context(), []*change.Change{
		modify(t, "a", 3), modify(t, "b", 1), modify(t, "a", 1), modify(t, "a", 2), modify(t, "b", 2),
	})
	var got []Outcome
	for _, err := range errs {
		got = append(got, OutcomeOf(err))
	}
	if want := []Outcome{Retry, Applied, Applied, Retry, Applied}; !slices.Equal(got, want) {
		t.Errorf("outcomes %v, want %v", got, want)
	}
	slices.Sort(applied)
	if want := []string{"a1", "a2", "b1", "b2"}; !slices.Equal(applied, want) {
		t.Errorf("applied %v, want %v: a3 must wait for a2", applied, want)
	}
}

func TestEachStopsWhenContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	c := Each(applyFunc(func(context.Context, *change.Change) error {
		calls++
		cancel()
		return nil
	}))
	errs := c.ApplyBatch(ctx, []*change.Change{modify(t, "a", 1), modify(t, "a", 2)})
	if calls != 1 || OutcomeOf(errs[0]) != Applied || OutcomeOf(errs[1]) != Retry {
		t.Errorf("%d calls, errors %v; want one call, applied, and one to retry", calls, errs)
	}
}

// Fails if saying where an error arose changes the outcome, or a dead letter's reason.
func TestIn(t *testing.T) {
	for _, err := range []error{nil, Duplicate, Stale, Skip, errors.New("throttled"), Reject(errors.New("bad")), RejectFor(TooOld, errors.New("old"))} {
		got := In("the copy", err)
		if OutcomeOf(got) != OutcomeOf(err) || got != nil && !strings.Contains(got.Error(), "the copy: ") {
			t.Errorf("%v becomes %v", err, got)
		}
		want, _ := errors.AsType[*Rejection](err)
		if rejection, ok := errors.AsType[*Rejection](got); ok && rejection.Reason != want.Reason {
			t.Errorf("%v becomes %v", err, got)
		}
	}
}
