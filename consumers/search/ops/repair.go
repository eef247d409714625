package ops

import (
	"context"
	"errors"

	"sluice/consumers/search/internal/document"
	"sluice/consumers/search/internal/index"
	"sluice/shared/change"
	"sluice/shared/operate"
)

func (l *comparison) Steps(r operate.Report, remove bool) []operate.Step {
	return []operate.Step{r.Step(remove)}
}

// Repair implements operate.Repairer: it writes what the table has now by the function's own rules, as a change made
// operate.ReadMargin ago, so any change in flight wins. It creates the index if there is none.
func (l *comparison) Repair(ctx context.Context, found []operate.Difference, remove bool) error {
	if !l.exists {
		if err := l.client.CreateFirst(ctx, l.Route); err != nil {
			return err
		}
	}
	if err := l.openIndex(ctx); err != nil {
		return err
	}
	for i := range found {
		if err := l.repair(ctx, &found[i], remove); err != nil {
			return err
		}
	}
	return nil
}

// repair repairs one document, and records the outcome.
func (l *comparison) repair(ctx context.Context, d *operate.Difference, remove bool) error {
	was := d.Ref.(sighting)
	if was.key == nil {
		d.Repair = "left alone: its id is none of this table's"
		return nil
	}
	now, item, err := l.compareOne(ctx, d.Key, was.key)
	unreadable, is := errors.AsType[*unreadableError](err)
	switch {
	case is:
		d.Repair = "left alone: " + unreadable.Error()
	case err != nil:
		return err
	case now.What == "":
		d.Repair = "is the same by now"
	case now.What == operate.Extra && !remove:
		d.Repair = "left alone: --remove-extra deletes it"
	case d.Written || !now.Ref.(sighting).same(was):
		d.Repair = "left alone: it was written while it was compared"
	default:
		return l.write(ctx, d, item)
	}
	return nil
}

// write writes what an item makes of its document, or a tombstone if there is none.
func (l *comparison) write(ctx context.Context, d *operate.Difference, item *change.Change) error {
	removed := change.Change{Version: l.now().Add(-operate.ReadMargin).UnixMicro()}
	o := &index.Operation{Route: l.Route, ID: d.Key, Version: document.ScannedVersion(&removed)}
	if item == nil {
		o.Document = document.AppendTombstone(nil, &removed, l.now())
	} else if o.Err = l.Route.Refuse(item); o.Err == nil {
		o = l.operation(item)
	}
	if o.Err == nil {
		l.client.DualWrite(ctx, []*index.Operation{o})
	}
	return d.Repaired(o.Err, "index")
}
