package consumer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"sluice/shared/change"
	"sluice/shared/consumertest"
)

// Fails if naming a destination changes the outcome, the text, or a dead letter's
// reason, or if it hides the destination that a call named.
func TestAt(t *testing.T) {
	for _, err := range []error{nil, Applied, Duplicate, Stale, Skip, errors.New("throttled"), Reject(errors.New("bad")), RejectFor(TooOld, errors.New("old"))} {
		got := At("copy", err)
		if OutcomeOf(got) != OutcomeOf(err) || err != nil && got.Error() != err.Error() {
			t.Errorf("%v becomes %v", err, got)
		}
		want, _ := errors.AsType[*Rejection](err)
		if rejection, _ := errors.AsType[*Rejection](got); rejection != want {
			t.Errorf("%v becomes %v", err, got)
		}
	}
	err := At("copy", In("replica whole", fmt.Errorf("look at it: %w", At("tombstones", errors.New("forbidden")))))
	if ends := endsOf(err); len(ends) != 1 || ends[0].destination != "tombstones" || ends[0].outcome != Retry {
		t.Errorf("%v is at %+v, want at the tombstones", err, ends)
	}
	if got := OutcomeOf(Combine([]error{At("a", nil), At("b", Reject(errors.New("bad"))), At("c", errors.New("down"))})); got != Retry {
		t.Errorf("a part that has to come again is combined to %v", got)
	}
}

// twoCopies brings each change to the copies east and west; errs tells, by copy and
// item, what becomes of it.
func twoCopies(errs map[string]error) Consumer {
	return Each(applyFunc(func(_ context.Context, c *change.Change) error {
		name, err := c.Keys.String("Id")
		if err != nil {
			return Reject(err)
		}
		var parts []error
		for _, copied := range []string{"east", "west"} {
			err, ok := errs[copied+" "+name]
			if !ok {
				err = errs[copied]
			}
			parts = append(parts, In("replica "+copied, At(copied, err)))
		}
		return Combine(parts)
	}))
}

// deliverFor delivers the same records every 30 s.
func (f *function) deliverFor(d time.Duration, records ...[]byte) {
	f.t.Helper()
	for end := f.now.Add(d); f.now.Before(end); f.now = f.now.Add(30 * time.Second) {
		f.invoke(1, records...)
	}
}

func (f *function) lastMetrics() string {
	lines := strings.Split(strings.TrimSpace(f.metrics.String()), "\n")
	return lines[len(lines)-1]
}

func (f *function) wantLetters(n int) {
	f.t.Helper()
	if len(f.letters.kept) != n {
		f.t.Errorf("%d dead letters, want %d", len(f.letters.kept), n)
	}
}

// Fails if what succeeds at one destination makes dead letters of what waits for
// another one, which is down.
func TestOneDestinationDown(t *testing.T) {
	errs := map[string]error{"east": errors.New("connection refused"), "east c": Skip}
	f := newFunction(t, twoCopies(errs))
	f.deliverFor(10*time.Minute, insert("a"), insert("b"), insert("c"))
	f.wantLetters(0)
	if logs := f.logs.String(); !strings.Contains(logs, "destination=east since="+consumertest.Arrival.Add(time.Second).Format("2006-01-02T15:04:05")) || strings.Contains(logs, "destination=west") {
		t.Errorf("the log should name east alone, and since when: %s", logs)
	}
	if !strings.Contains(f.metrics.String(), `"DestinationsDown":1`) {
		t.Errorf("the metrics don't count the destination: %s", f.metrics.String())
	}
	errs["east"] = nil
	f.wantAnswer(f.invoke(1, insert("a"), insert("b"), insert("c")), 0)
	if !strings.Contains(f.lastMetrics(), `"DestinationsDown":0`) {
		t.Errorf("it is back, but counted: %s", f.metrics.String())
	}
}

// A change that fails at a destination where others succeed is stuck, also while
// another destination is down; but not one that waits for that, too.
func TestStuckBesideADestinationDown(t *testing.T) {
	errs := map[string]error{"east": errors.New("connection refused"), "east stuck": Skip, "west stuck": errors.New("too large for west"), "west both": errors.New("too large for west")}
	f := newFunction(t, twoCopies(errs))
	f.deliverFor(10*time.Minute, insert("a"), insert("stuck"), insert("both"))
	f.wantLetters(1)
	if letter := f.letters.kept[0]; letter.Reason != Stuck || !strings.Contains(letter.Error, "replica west: too large for west") {
		t.Errorf("the dead letter is %+v", letter)
	}
	if got := f.letters.kept[0].RejectedAt.Sub(consumertest.Arrival.Add(time.Second)); got != DefaultStuckAfter {
		t.Errorf("kept after %v, want %v", got, DefaultStuckAfter)
	}
}

// The ragged ends of an outage. Fails if a change that failed once just before all
// did, while others succeeded, is stuck; or one that fails once more when the others
// succeed again; or one that fails at one destination after the other, or at one
// anew while it waits for another.
func TestRaggedOutage(t *testing.T) {
	refused := errors.New("connection refused")
	errs := map[string]error{"east a": refused}
	f := newFunction(t, twoCopies(errs))
	f.deliverFor(time.Minute, insert("a"), insert("b"))
	errs["east"] = refused
	f.deliverFor(10*time.Minute, insert("a"), insert("b"))
	errs["east"] = nil
	f.deliverFor(time.Minute, insert("a"), insert("b"))
	f.wantLetters(0)
	errs["east a"], errs["west a"] = nil, refused
	f.deliverFor(DefaultStuckAfter-30*time.Second, insert("a"), insert("b"))
	f.wantLetters(0)
	f.wantLetters(0)
	errs["east a"], errs["west a"] = refused, nil
	f.deliverFor(DefaultStuckAfter-30*time.Second, insert("a"), insert("b"))
	errs["west a"] = refused
	f.deliverFor(DefaultStuckAfter, insert("a"), insert("b"))
	f.wantLetters(0)
	f.deliverFor(time.Minute, insert("a"), insert("b"))
	f.wantLetters(1)
}
