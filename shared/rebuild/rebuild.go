package rebuild

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	smithytime "github.com/aws/smithy-go/time"

	"sluice/shared/aggregate"
	"sluice/shared/operate"
	"sluice/shared/view"
)

// The defaults of a Tool.
const (
	DefaultClocks     = 10 * time.Second
	DefaultAnnouncing = 5 * time.Second
	DefaultSegments   = 8
	DefaultLimit      = 24 * time.Hour
)

// Tool rebuilds one view. It calls from one goroutine for each segment.
type Tool struct {
	Client *dynamodb.Client
	View   *view.View
	Ledger string
	// Horizon is the consumer's setting.
	Horizon time.Duration
	Now     func() time.Time
	// Sleep waits; nil: for so long by a timer.
	Sleep func(context.Context, time.Duration) error
	// Clocks is by how much the time of a change may differ from our clock at its write.
	Clocks time.Duration
	// Announcing is how long the calls that announce a window may take. If they take
	// longer, the rebuild begins anew.
	Announcing time.Duration
	// Segments is in how many parts a table is scanned side by side. A scan that goes
	// on with another number begins at the start.
	Segments int
	// Limit is how long a scan may take; after that it begins anew. Boxes that close
	// within that time are left as they are.
	Limit time.Duration
	// Progress is told how far the rebuild has come, from one goroutine at a time; may be nil.
	Progress func(Progress)
}

// Progress is how far a rebuild has come.
type Progress struct {
	Generation int64
	Phase      aggregate.Phase // empty: it is done
	// Until is what is waited for; zero: nothing.
	Until time.Time
	// Anew: the announcement of the generation before may have come too late.
	Anew bool
	// Resumed: it goes on with a rebuild that was under way.
	Resumed bool
	// Items were read, of the source or the view, in this phase and run.
	Items int
	// Unusable items were among those that this run read: of the source, which count for
	// nothing, or of the view, which keep their old sums.
	Unusable int
	// Named are the first MaxNamed of them.
	Named []operate.Unusable
	// Total is about how many there are; 0: nobody knows.
	Total int
}

// MaxNamed is how many unusable items a Progress names.
const MaxNamed = 20

// ErrAborted is returned by Run if somebody has given up the rebuild meanwhile.
var ErrAborted = errors.New("the rebuild was given up meanwhile (--abort); the view's sums are what they were, and kept current")

// Run goes on with the rebuild that is under way, or begins one, and returns when
// it is done. An error leaves it to be gone on with.
func (t *Tool) Run(ctx context.Context) (Progress, error) {
	if err := t.View.Rebuildable(); err != nil {
		return Progress{}, err
	}
	r := &run{Tool: t}
	for first := true; ; first = false {
		state, seen, err := r.read(ctx)
		if err != nil {
			return r.progress, err
		}
		if first {
			r.progress.Resumed = state.Phase != ""
		} else if state.Phase == "" {
			if abandoned(state) {
				return r.progress, ErrAborted
			}
			r.tell(func(p *Progress) { p.Phase, p.Generation = "", state.Current.Generation })
			return r.progress, nil
		}
		err = r.phase(ctx, state, seen)
		if errors.Is(err, aggregate.ErrOvertaken) {
			continue // our own write, whose answer was lost, or another run's: see what is there
		}
		if err != nil {
			return r.progress, fmt.Errorf("rebuild %d of view %s, %s: %w", state.Current.Generation, t.View.Name, state.Phase, err)
		}
	}
}

// run is one call of Run.
type run struct {
	*Tool

	mu       sync.Mutex // guards progress, which several segments make at once
	progress Progress
}

// read returns the view's state, and a time at which it was so already.
func (r *run) read(ctx context.Context) (*aggregate.Rebuilds, time.Time, error) {
	byView, err := aggregate.ReadRebuilds(ctx, r.Client, r.Ledger)
	if err != nil {
		return nil, time.Time{}, err
	}
	state := byView[r.View.Name]
	if state == nil {
		state = &aggregate.Rebuilds{}
	}
	return state, r.Now(), nil
}

// phase does what is to be done in the state's phase and saves the next one.
func (r *run) phase(ctx context.Context, state *aggregate.Rebuilds, seen time.Time) error {
	if state.Phase != "" {
		r.tell(func(p *Progress) {
			p.Generation, p.Phase, p.Items, p.Total = state.Current.Generation, state.Phase, 0, 0
		})
	}
	switch state.Phase {
	case "":
		r.open(state)
	case aggregate.Opening:
		if state.Phase = aggregate.Scanning; late(seen, state.Current.From, r.Clocks) {
			r.openAnew(state)
		}
	case aggregate.Scanning:
		// Changes before From must be in the table when the scan begins.
		if err := r.wait(ctx, time.UnixMicro(state.Current.From).Add(r.Clocks)); err != nil {
			return err
		}
		if err := r.scan(ctx, state); err != nil {
			return err
		}
		state.Phase, state.Current.Until = aggregate.Closing, r.ahead()
		if state.Current.Until > state.Current.Limit {
			r.openAnew(state)
		}
	case aggregate.Closing:
		if state.Phase = aggregate.Switching; late(seen, state.Current.Until, r.Clocks) {
			r.openAnew(state)
		}
	case aggregate.Switching:
		if err := r.switchAll(ctx, state); err != nil {
			return err
		}
		r.forget(state)
		state.Done = append(state.Done, state.Current)
		state.Phase = ""
	default:
		return fmt.Errorf("phase %q is of a newer version of Sluice", state.Phase)
	}
	return state.Save(ctx, r.Client, r.Ledger, r.View.Name)
}

// ahead is a version of the future that can be announced now.
func (r *run) ahead() int64 {
	return r.Now().Add(r.Announcing + aggregate.Freshness + r.Clocks).UnixMicro()
}

// late tells whether a function might not have heard of an announcement when the
// first change with that version is made.
func late(seen time.Time, version int64, clocks time.Duration) bool {
	return seen.After(time.UnixMicro(version).Add(-aggregate.Freshness - clocks))
}

// abandoned reports whether the newest generation was never done: it is under way, or was
// given up.
func abandoned(state *aggregate.Rebuilds) bool {
	n := len(state.Done)
	return state.Current.Generation > 0 && (n == 0 || state.Done[n-1].Generation != state.Current.Generation)
}

// open begins a rebuild.
func (r *run) open(state *aggregate.Rebuilds) {
	generation, from := state.Current.Generation+1, r.ahead()
	if n := len(state.Done); n > 0 {
		from = max(from, state.Done[n-1].Until+1) // windows don't overlap
	}
	first := generation
	if abandoned(state) {
		first = state.Current.First // whose shadows are still there
	}
	state.Phase = aggregate.Opening
	state.Current = aggregate.Window{Generation: generation, First: first, From: from, Limit: from + r.Limit.Microseconds()}
}

// openAnew gives up the generation, of which nothing is switched yet, for another.
func (r *run) openAnew(state *aggregate.Rebuilds) {
	r.open(state)
	r.progress.Anew = true
}

// forget drops rebuilds of which no item can need anything any more: those that
// took all items that the next one left alone, once even these items' last changes are beyond the horizon.
func (r *run) forget(state *aggregate.Rebuilds) {
	for i := range state.Done {
		next := state.Current
		if i+1 < len(state.Done) {
			next = state.Done[i+1]
		}
		if r.Now().Before(time.UnixMicro(next.Limit).Add(r.Horizon + 24*time.Hour)) {
			state.Done = state.Done[i:]
			return
		}
	}
	state.Done = nil
}

// wait waits until our clock shows a time.
func (r *run) wait(ctx context.Context, until time.Time) error {
	for left := until.Sub(r.Now()); left > 0; left = until.Sub(r.Now()) {
		r.tell(func(p *Progress) { p.Until = until })
		sleep := r.Sleep
		if sleep == nil {
			sleep = smithytime.SleepWithContext
		}
		if err := sleep(ctx, left); err != nil {
			return err
		}
	}
	r.tell(func(p *Progress) { p.Until = time.Time{} })
	return nil
}
