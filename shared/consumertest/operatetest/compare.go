package operatetest

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"sluice/shared/consumertest/wire"
	"sluice/shared/operate"
)

// comparing are the checks of a comparison.
var comparing = []check{
	{"equal", equal},
	{"damages are found", damagesAreFound},
	{"arrives while it looks again", arrives},
	{"changes all the time", changesAllTheTime},
	{"isn't applied any more", notApplied},
	{"comparison interrupted at every call", comparisonInterrupted},
	{"bad items are compared around", badItemsCompared},
}

func equal(ctx context.Context, w *World) error {
	w.fill()
	held := w.Held()
	r, err := w.compare(ctx, nil)
	if err != nil {
		return err
	}
	if len(r.Differences)+len(r.Unjudged) > 0 || r.Items == 0 {
		return fmt.Errorf("of %d items that are equal, these differ: %s", r.Items, whats(append(r.Differences, r.Unjudged...)))
	}
	return w.wantHeld(held, "after a comparison")
}

// damage does one damage to the item n of a filled world.
func (w *World) damage(d Damage, n int) {
	if d.Undelivered {
		n += items
	}
	d.Do(n)
}

func damagesAreFound(ctx context.Context, w *World) error {
	w.fill()
	for n, d := range w.Damages {
		w.damage(d, n)
		held := w.Held()
		r, err := w.compare(ctx, nil)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(r.Differences, func(found operate.Difference) bool { return found.What == d.What }) {
			return fmt.Errorf("a damage isn't found: want one that is %s, got: %s", d.What, whats(r.Differences))
		}
		if err := w.wantHeld(held, "after a comparison"); err != nil {
			return err
		}
	}
	return nil
}

// arrives delivers the last changes between the first look and the second.
func arrives(ctx context.Context, w *World) error {
	w.fill()
	w.Write(0, 2)
	w.Write(items, 1)
	w.Remove(1)
	r, err := w.compare(ctx, func() {
		for _, n := range []int{0, items, 1} {
			w.Deliver(n, time.Now())
		}
	})
	if err != nil {
		return err
	}
	if len(r.Differences)+len(r.Unjudged) > 0 || r.Arrived == 0 {
		return fmt.Errorf("changes that arrived before the second look: %d arrived, and these differ: %s", r.Arrived, whats(append(r.Differences, r.Unjudged...)))
	}
	return nil
}

// changesAllTheTime has the destination follow the source by one change.
func changesAllTheTime(ctx context.Context, w *World) error {
	w.fill()
	version := 2
	w.Write(0, version)
	r, err := w.compare(ctx, func() {
		w.Deliver(0, time.Now())
		version++
		w.Write(0, version)
	})
	if err != nil {
		return err
	}
	if len(r.Differences) > 0 || len(r.Unjudged) == 0 && !w.Cumulative {
		return fmt.Errorf("an item that the destination took a change of between all looks is judged: %d not judged, these differ: %s", len(r.Unjudged), whats(r.Differences))
	}
	return nil
}

// notApplied has the source change, and nobody deliver.
func notApplied(ctx context.Context, w *World) error {
	w.fill()
	version := 2
	w.Write(0, version)
	r, err := w.compare(ctx, func() {
		version++
		w.Write(0, version)
	})
	if err != nil {
		return err
	}
	if len(r.Differences) == 0 {
		return fmt.Errorf("an item whose changes aren't applied doesn't differ; %d not judged", len(r.Unjudged))
	}
	return nil
}

// comparisonInterrupted wants an error, also if something differs and if nothing does.
func comparisonInterrupted(ctx context.Context, w *World) error {
	w.fill()
	for _, damaged := range []bool{false, true} {
		if damaged {
			w.damage(w.Damages[0], 0)
		}
		err := atEveryCall(wire.Crash, func(client *http.Client, where string) error {
			v := operate.Verify(ctx, "tested", []operate.Comparison{w.Compare(client)}, judging(nil))
			if crashed := client.Transport.(*wire.Transport).Crashed(); crashed && len(v.Faults) == 0 {
				return fmt.Errorf("a comparison %s: %w", where, errNoError)
			} else if crashed && v.Differences() > 0 {
				return fmt.Errorf("a comparison %s judges all the same: %s", where, whats(v.Reports[0].Differences))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func badItemsCompared(ctx context.Context, w *World) error {
	for _, kind := range slices.Sorted(maps.Keys(w.Bad)) {
		w.Bad[kind]()
	}
	w.fill()
	w.Write(0, 2) // isn't delivered
	r, err := w.compare(ctx, nil)
	if err != nil {
		return fmt.Errorf("bad items end the comparison: %w", err)
	}
	if r.Items < 1 || len(r.Differences) == 0 {
		return fmt.Errorf("beside bad items, %d items are compared, and the one that isn't delivered doesn't differ", r.Items)
	}
	w.Deliver(0, time.Now())
	if again, err := w.compare(ctx, nil); err != nil || len(again.Differences) >= len(r.Differences) {
		return fmt.Errorf("the item that is equal now still differs: %s (before: %s), %w", whats(again.Differences), whats(r.Differences), err)
	}
	return nil
}
