package operatetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"sluice/shared/operate"
)

// repairing are the checks of a repair.
var repairing = []check{
	{"damages are repaired", damagesAreRepaired},
	{"deletes nothing unasked", deletesNothingUnasked},
	{"an empty source empties nothing", emptySource},
	{"what is newer stays", newerStays},
	{"repair interrupted at every call", repairInterrupted},
}

// repair compares and repairs through a client. With named, so many deletions are named.
func (w *World) repair(ctx context.Context, client *http.Client, remove bool, named int, between func()) error {
	v := operate.Verify(ctx, "tested", []operate.Comparison{w.Compare(client)}, judging(nil))
	if len(v.Faults) > 0 {
		return errors.New(v.Faults[0])
	}
	if between != nil {
		between()
	}
	return v.Repair(ctx, operate.Plan{Verb: "test"}, operate.Consent{
		Yes: true, Out: io.Discard, Removal: operate.Removal{Allowed: remove, Named: named, Limit: operate.DefaultLimit},
	})
}

// damageAll does every damage that a repair sets right.
func (w *World) damageAll() (extra int) {
	for n, d := range w.Damages {
		if d.Unrepaired {
			continue
		}
		w.damage(d, n)
		if d.What == operate.Extra {
			extra++
		}
	}
	return extra
}

func damagesAreRepaired(ctx context.Context, w *World) error {
	w.fill()
	held := w.Held()
	if err := w.repair(ctx, http.DefaultClient, true, max(1, w.damageAll()), nil); err != nil {
		return err
	}
	if err := w.wantHeld(held, "after a repair"); err != nil {
		return err
	}
	r, err := w.compare(ctx, nil)
	if err == nil && len(r.Differences) > 0 {
		err = fmt.Errorf("after a repair these differ: %s", whats(r.Differences))
	}
	return err
}

// deletesNothingUnasked repairs other damages, beside items that only the destination has.
func deletesNothingUnasked(ctx context.Context, w *World) error {
	w.fill()
	extra := func(d Damage) bool { return d.What == operate.Extra }
	for n, d := range w.Damages {
		if extra(d) {
			w.damage(d, n)
		}
	}
	held := w.Held()
	for n, d := range w.Damages {
		if !extra(d) && !d.Unrepaired {
			w.damage(d, n)
		}
	}
	if err := w.repair(ctx, http.DefaultClient, false, 0, nil); err != nil {
		return err
	}
	return w.wantHeld(held, "after a repair that wasn't asked to delete")
}

// emptySource takes the source away from under the destination.
func emptySource(ctx context.Context, w *World) error {
	if !slices.ContainsFunc(w.Damages, func(d Damage) bool { return d.What == operate.Extra }) {
		return nil // nothing is ever deleted
	}
	w.fill()
	held := w.Held()
	for n := range items {
		w.Remove(n)
	}
	err := w.repair(ctx, http.DefaultClient, true, 0, nil)
	if _, beyond := errors.AsType[*operate.BeyondError](err); !beyond {
		return fmt.Errorf("the source is empty, and a repair may delete within the usual bound. Want it refused, got: %w", errors.Join(err, w.wantHeld(held, "then")))
	}
	return w.wantHeld(held, "after a repair that was refused")
}

// newerStays has the consumer take a change between the comparison and the repair.
func newerStays(ctx context.Context, w *World) error {
	w.fill()
	w.Write(0, 2) // isn't delivered, so it differs
	var want map[string]string
	err := w.repair(ctx, http.DefaultClient, true, 1, func() {
		w.Write(0, 3)
		w.Deliver(0, time.Now())
		want = w.Held()
		w.Write(0, 2) // as a comparison saw it: an item that was read before the change
	})
	if err != nil {
		return err
	}
	return w.wantHeld(want, "after a repair of an item that took a newer change meanwhile,")
}

func repairInterrupted(ctx context.Context, w *World) error {
	w.fill()
	held := w.Held()
	extra := 0
	return w.interrupted(ctx, "repair", held, func() { extra = max(1, w.damageAll()) }, func(ctx context.Context, client *http.Client) error {
		return w.repair(ctx, client, true, extra, nil)
	})
}
