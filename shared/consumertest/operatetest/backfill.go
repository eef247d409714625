package operatetest

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"
)

// backfilling are the checks of a backfill.
var backfilling = []check{
	{"everything is brought", everythingIsBrought},
	{"a backfill overwrites nothing newer", backfillOverwritesNothing},
	{"backfill interrupted at every call", backfillInterrupted},
	{"bad items are brought around", badItemsBrought},
}

// backfill runs a backfill through a client, once.
func (w *World) backfill(ctx context.Context, client *http.Client) error {
	b := w.Backfill(client)
	if _, err := b.Steps(ctx); err != nil {
		return err
	}
	_, err := b.Run(ctx, func(int) {})
	return err
}

// expected fills the source, and returns what the destination has to hold.
func (w *World) expected() map[string]string {
	w.fill()
	held := w.Held()
	w.Wipe()
	return held
}

func everythingIsBrought(ctx context.Context, w *World) error {
	held := w.expected()
	if err := w.backfill(ctx, http.DefaultClient); err != nil {
		return err
	}
	if err := w.wantHeld(held, "after a backfill"); err != nil {
		return err
	}
	r, err := w.compare(ctx, nil)
	if err == nil && len(r.Differences) > 0 {
		err = fmt.Errorf("after a backfill these differ: %s", whats(r.Differences))
	}
	return err
}

// backfillOverwritesNothing has the consumer take changes after a page was read and before any of it is written.
func backfillOverwritesNothing(ctx context.Context, w *World) error {
	w.expected()
	w.Write(0, 2)
	w.Deliver(0, time.Now())
	w.Remove(1)
	w.Deliver(1, time.Now())
	newer := w.Held()
	w.Write(0, 1) // as the page has them that was read before
	w.Write(1, 1)
	if err := w.backfill(ctx, http.DefaultClient); err != nil {
		return err
	}
	got := w.Held()
	for key, value := range newer {
		if got[key] != value {
			return fmt.Errorf("a backfill overwrote what was newer: %s is %q, want %q", key, got[key], value)
		}
	}
	if brought := len(got) - len(newer); brought != items-2 {
		return fmt.Errorf("a backfill brought %d items, want %d: all but one that is newer and one that was removed later", brought, items-2)
	}
	return nil
}

func backfillInterrupted(ctx context.Context, w *World) error {
	held := w.expected()
	return w.interrupted(ctx, "backfill", held, w.Wipe, w.backfill)
}

func badItemsBrought(ctx context.Context, w *World) error {
	held := w.expected()
	for _, kind := range slices.Sorted(maps.Keys(w.Bad)) {
		w.Bad[kind]()
	}
	if err := w.backfill(ctx, http.DefaultClient); err != nil {
		return fmt.Errorf("bad items end the backfill: %w", err)
	}
	got := w.Held()
	for key, value := range held {
		if got[key] != value {
			return fmt.Errorf("beside bad items, %s is %q after a backfill, want %q", key, got[key], value)
		}
	}
	return nil
}
