package operatetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/shared/consumertest/proof"
	"sluice/shared/consumertest/wire"
	"sluice/shared/operate"
)

// Suite says what is tested.
type Suite struct {
	// New returns an empty source and an empty destination on real servers. Each check begins with a new world.
	New func(t *testing.T) *World
}

// World is a source and its destination. Its functions end the test if they fail.
type World struct {
	// Write writes an item of the source; equal n have one key, other versions have other values. Remove removes it. The
	// destination doesn't hear of either.
	Write  func(n, version int)
	Remove func(n int)
	// Deliver has the destination take the item's last change, as the consumer's function does, made at a moment.
	Deliver func(n int, made time.Time)
	// Damages are what may be wrong with the destination.
	Damages []Damage
	// Bad writes items into the source that aren't as the declaration expects, or that the destination can't hold, by kind: an empty
	// string or set, 400 KB, 38 digits, a binary value, another type.
	Bad map[string]func()
	// Wipe makes the destination hold nothing, and forget what it held. Only a world with a Backfill needs it.
	Wipe func()
	// Held returns what the destination holds of the items, by item. Bad items may be left out.
	Held func() map[string]string
	// Compare returns a comparison all of whose calls go through the client, once each: without retries.
	Compare func(client *http.Client) operate.Comparison
	// Cumulative: the destination holds sums, so the comparison knows that a change arrived though others came since. What changes all
	// the time need not be reported then.
	Cumulative bool
	// Backfill returns a backfill in the same way; nil: the consumer has none.
	Backfill func(client *http.Client) operate.Backfill
}

// Damage makes the destination wrong in one item that was delivered.
type Damage struct {
	What string // as a report names it, such as operate.Missing
	Do   func(n int)
	// Undelivered: the item isn't in the source, and the destination gets it.
	Undelivered bool
	// Unrepaired: no repair sets it right.
	Unrepaired bool
}

// items is how many items a world has.
const items = 8

// check is one test of a suite.
type check struct {
	name string
	run  func(ctx context.Context, w *World) error
}

// Run runs the suite, each check in a subtest of its own.
func Run(t *testing.T, s Suite) {
	t.Helper()
	for _, c := range checksOf(s.New(t)) {
		t.Run(c.name, func(t *testing.T) {
			if err := c.run(t.Context(), s.New(t)); err != nil {
				t.Error(err)
			}
		})
	}
}

// checksOf returns the checks that a world of this kind has to pass.
func checksOf(w *World) []check {
	checks := slices.Clone(comparing)
	if _, repairs := w.Compare(http.DefaultClient).(operate.Repairer); repairs {
		checks = append(checks, repairing...)
	}
	if w.Backfill != nil {
		checks = append(checks, backfilling...)
	}
	return checks
}

// long is when the changes were made that a world begins with: before whatever a repair or a backfill counts as read.
func long() time.Time { return time.Now().Add(-time.Hour) }

// fill writes and delivers the world's items.
func (w *World) fill() {
	for n := range items {
		w.Write(n, 1)
		w.Deliver(n, long())
	}
}

// compare compares without faults; waits is called between two looks.
func (w *World) compare(ctx context.Context, waits func()) (operate.Report, error) {
	return operate.Compare(ctx, w.Compare(http.DefaultClient), judging(waits))
}

// judging waits for nothing but a call.
func judging(waits func()) operate.Judging {
	return operate.Judging{Sleep: func(context.Context, time.Duration) error {
		if waits != nil {
			waits()
		}
		return nil
	}}
}

// wantHeld returns an error unless the destination holds this.
func (w *World) wantHeld(want map[string]string, when string) error {
	got := w.Held()
	if maps.Equal(got, want) {
		return nil
	}
	var lines []string
	for _, key := range slices.Sorted(maps.Keys(got)) {
		if want[key] != got[key] {
			lines = append(lines, fmt.Sprintf("  %s: %q, want %q", key, got[key], want[key]))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if _, there := got[key]; !there {
			lines = append(lines, fmt.Sprintf("  %s: isn't there, want %q", key, want[key]))
		}
	}
	return fmt.Errorf("%s the destination holds:\n%s", when, strings.Join(lines, "\n"))
}

// atEveryCall runs something with a client that dies at the first call, then at the second (with -short, at every fourth), and so on, until
// it needs no further call.
func atEveryCall(fault wire.Fault, run func(client *http.Client, where string) error) error {
	for n := 1; ; n += proof.Size(1, 4) {
		// Its connections are its own: calls that end with the crash would else take along a connection that the next run reads from.
		own := http.DefaultTransport.(*http.Transport).Clone()
		client := &http.Client{Transport: &wire.Transport{Base: own, Decide: func(c wire.Call) wire.Fault {
			if c.N == n {
				return fault
			}
			return wire.None
		}}}
		err := run(client, fmt.Sprintf("interrupted at call %d (%v)", n, fault))
		own.CloseIdleConnections()
		if err != nil {
			return err
		}
		if !client.Transport.(*wire.Transport).Crashed() {
			return nil
		}
	}
}

// interrupted begins and does something, which is interrupted at each of its calls, and does it again. Then the destination has to
// hold what is expected.
func (w *World) interrupted(ctx context.Context, what string, held map[string]string, begin func(), do func(context.Context, *http.Client) error) error {
	for _, fault := range []wire.Fault{wire.Crash, wire.CrashAfter} {
		err := atEveryCall(fault, func(client *http.Client, where string) error {
			begin()
			err := do(ctx, client)
			if client.Transport.(*wire.Transport).Crashed() && err == nil {
				return fmt.Errorf("a %s %s: %w", what, where, errNoError)
			}
			if err := do(ctx, http.DefaultClient); err != nil {
				return fmt.Errorf("another %s after one that was %s: %w", what, where, err)
			}
			return w.wantHeld(held, "after another "+what+" than the one "+where)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// whats lists what differs, for errors.
func whats(differences []operate.Difference) string {
	var all []string
	for _, d := range differences {
		all = append(all, d.Key+": "+d.What+" "+d.Repair+d.Refused)
	}
	return strings.Join(all, "; ")
}

var errNoError = errors.New("there is no error")
