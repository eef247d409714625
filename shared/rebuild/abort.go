package rebuild

import (
	"context"
	"errors"
	"fmt"

	"sluice/shared/aggregate"
)

var (
	// ErrNotUnderWay is returned by Abort if no rebuild of the view is under way.
	ErrNotUnderWay = errors.New("no rebuild of this view is under way")
	// ErrSwitching is returned by Abort once the new sums take the places of the old
	// ones, which are gone then.
	ErrSwitching = errors.New("the new sums are being put in place already, and the old ones they replace are gone; run the rebuild again to finish it")
)

// Abort gives up the rebuild that is under way and returns its generation. Readers and
// functions go on with the old sums, which were kept current. A run of the same rebuild
// elsewhere ends with ErrAborted.
//
// It is safe at any moment and may be called by several processes at once. Nothing is
// switched before the phase Switching, and the state is written only if it is as it was
// read. So either this write or the one that begins the switching goes through. A function
// that hasn't heard of the abort adds to shadows and rows of a generation whose number is
// never used again. These shadows stay in the view's items until a rebuild is done.
func (t *Tool) Abort(ctx context.Context) (generation int64, err error) {
	r := &run{Tool: t}
	for {
		state, _, err := r.read(ctx)
		if err != nil {
			return 0, err
		}
		switch state.Phase {
		case aggregate.Opening, aggregate.Scanning, aggregate.Closing:
		case aggregate.Switching:
			return state.Current.Generation, ErrSwitching
		case "":
			if generation > 0 && generation == state.Current.Generation && abandoned(state) {
				return generation, nil // our own write, whose answer was lost, or somebody else's abort
			}
			return 0, ErrNotUnderWay
		default:
			return 0, fmt.Errorf("phase %q is of a newer version of Sluice", state.Phase)
		}
		generation, state.Phase = state.Current.Generation, ""
		err = state.Save(ctx, t.Client, t.Ledger, t.View.Name)
		if errors.Is(err, aggregate.ErrOvertaken) {
			continue
		}
		return generation, err
	}
}
