package ops

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"sluice/consumers/search/internal/index"
	"sluice/shared/operate"
)

// How a route's index X is rebuilt while changes flow: a new index X-2 takes the place of X-1.
//
//  1. X-2 is created from the route's definition, with only the alias X-next. Once every node of OpenSearch knows the alias,
//     each request of a function learns of it from its own answer, and is written to both indexes (index.Client.DualWrite).
//     The reindex waits for requests that began before: their changes were in the table before, and their tombstones are in X-1.
//  2. Twice operate.ReadMargin later the table is read, strongly consistent. An item counts as a change made
//     operate.ReadMargin before it was asked for. So every change that is newer than an item as it was read was made after
//     step 1, and goes to both indexes. Every change that the scan didn't see is newer, if clocks differ by less than the margin.
//  3. X-1's tombstones are copied with their versions, since the table doesn't show removed items. Items that were removed
//     since step 1 have their tombstones in X-2 already.
//  4. One request moves X and X-all, and removes X-next. A function's request finds all aliases as they are at one moment:
//     before the move it writes to both indexes, after it to X-2 alone. A request that finds no X-next has written to X-all
//     at the same moment.
//  5. When the searches that found X-1 have ended, it is deleted.
//
// Every step can be repeated. X-2's mapping has, under _meta, how far each segment of the table was read. Both the move and an
// abort require the alias X-next, so only one of the two happens, and only once.

// ReindexOptions say how to rebuild an index.
type ReindexOptions struct {
	// Segments is how many parts of the table are read in parallel, 1 to 1,000.
	Segments int
	// LeaveOutRefused moves the alias though the new index refuses documents.
	LeaveOutRefused bool
	// KeepOld keeps the old index.
	KeepOld bool
	// Fewer is called before the aliases move, with how many documents searches find now and will find then. Its error
	// stops the reindex, which can be resumed. It may be nil.
	Fewer func(before, after int) error
	// Progress is called with each progress, one call at a time. It may be nil.
	Progress func(ReindexProgress)
}

// ReindexPhase is what a reindex is doing.
type ReindexPhase string

// The phases, in their order.
const (
	Announcing ReindexPhase = "announcing" // until all changes go to both indexes
	Reading    ReindexPhase = "reading"    // the table into the new index
	Burying    ReindexPhase = "burying"    // removed items
	Moving     ReindexPhase = "moving"     // the aliases
	Ending     ReindexPhase = "ending"     // searches that are under way
)

// ReindexProgress says how far a reindex has come.
type ReindexProgress struct {
	Phase ReindexPhase
	To    string    // the new index
	Items int       // read by this run
	Total int       // about how many the table has
	Until time.Time // when a wait is over, if one began
}

// Reindexed is what a reindex has done.
type Reindexed struct {
	Route      string   `json:"route"`
	From       string   `json:"from"`       // the old index
	To         string   `json:"to"`         // the new one
	Resumed    bool     `json:"resumed"`    // it resumed an index that an earlier run had begun
	Read       int      `json:"read"`       // items, by this run
	Written    int      `json:"written"`    // documents made of these; for the others a change came first, or the route leaves them out
	Tombstones int      `json:"tombstones"` // that were copied
	Refused    int      `json:"refused"`    // documents that the new index can't take
	Reasons    []string `json:"reasons"`    // of the first of these
	Moved      bool     `json:"moved"`      // the aliases lead to the new index
	Kept       bool     `json:"kept"`       // the old index still exists
	Left       []string `json:"left"`       // indexes of earlier times that nobody searches
}

const maxReasons = 20

// Reindex fills a new index from the table by the route's definition, while changes flow, and then moves the aliases to it. The
// new index shows everything that the old one shows. A change made in the second of the move may be seen up to one refresh later.
// After an error, or when ctx ended, changes keep going to both indexes, and another Reindex resumes. Two concurrent runs do each
// other no harm.
func (p *Operator) Reindex(ctx context.Context, o ReindexOptions) (Reindexed, error) {
	r := &reindex{Operator: p, options: o, result: Reindexed{Route: p.Route.Name}}
	err := r.run(ctx)
	if index.IsNotFound(err) {
		err = r.overtaken(ctx, err)
	}
	return r.result, err
}

// RefusedError is returned when a new index can't take documents that the table holds.
type RefusedError struct {
	Index   string // the new one
	Refused int
	Reasons []string // of the first ones
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("index %s refuses %d documents, so the alias stays where it is:\n  %s", e.Index, e.Refused, strings.Join(e.Reasons, "\n  "))
}

// reindex is one run.
type reindex struct {
	*Operator
	options ReindexOptions

	journal journal // of the new index

	mu     sync.Mutex // guards what follows
	result Reindexed
	shown  ReindexProgress
}

func (r *reindex) run(ctx context.Context) error {
	if err := r.source.Open(ctx); err != nil {
		return err
	}
	there, err := r.findIndexes(ctx)
	if err != nil {
		return err
	}
	r.result.From = there.current
	r.result.Left = there.left()
	if err := r.begin(ctx, there); err != nil {
		return err
	}
	r.show(func(p *ReindexProgress) { p.To, p.Total = r.result.To, r.source.Count })
	if !r.journal.checkpoint.begun() {
		if err := r.announce(ctx); err != nil {
			return err
		}
	}
	if err := r.readTable(ctx); err != nil {
		return err
	}
	if r.result.Refused > 0 && !r.options.LeaveOutRefused {
		return &RefusedError{Index: r.result.To, Refused: r.result.Refused, Reasons: r.result.Reasons}
	}
	if err := r.bury(ctx); err != nil {
		return err
	}
	if err := r.compareSizes(ctx); err != nil {
		return err
	}
	if err := r.move(ctx); err != nil {
		return err
	}
	r.result.Moved = true
	return r.end(ctx)
}

// overtaken returns nil if another run has moved the aliases. Otherwise it says why an index doesn't exist: another run may have
// aborted the reindex.
func (r *reindex) overtaken(ctx context.Context, cause error) error {
	there, err := r.findIndexes(ctx)
	if err != nil {
		return err
	}
	if there.next != "" && there.next == r.result.To || r.result.Moved {
		return cause
	}
	now, _ := r.Route.IndexNumber(there.current)
	if mine, _ := r.Route.IndexNumber(r.result.To); now < mine {
		return fmt.Errorf("index %s was given up meanwhile; index %s is what it was", r.result.To, r.Route.Index)
	}
	r.result.Moved, r.result.Kept = true, slices.Contains(there.numbered, r.result.From)
	return nil
}

// begin creates the new index, or resumes one that an earlier run had begun.
func (r *reindex) begin(ctx context.Context, there indexNames) error {
	mine, err := newCheckpoint(r.Route, r.options.Segments)
	if err != nil {
		return err
	}
	if there.next == "" {
		r.result.To = r.Route.IndexName(there.last + 1)
		err := r.create(ctx, mine)
		if err == nil {
			r.journal = journal{Operator: r.Operator, index: r.result.To, key: reindexKey, checkpoint: mine}
			return nil
		}
		if !index.AlreadyExists(err) {
			return err
		}
		// Another run made it, or this one before an answer that was lost.
		if there, err = r.findIndexes(ctx); err != nil {
			return err
		}
	}
	r.result.To, r.result.Resumed = there.next, true
	if there.next == "" {
		return index.ErrNoIndex
	}
	r.journal = journal{Operator: r.Operator, index: there.next, key: reindexKey}
	if err := r.journal.load(ctx); err != nil {
		return err
	}
	return r.journal.checkpoint.fits(mine, r.Route, there.next)
}

// announce waits until every change goes to both indexes. A resumed run counts what earlier runs waited. Otherwise a reindex that
// is stopped again and again would never get past this step.
func (r *reindex) announce(ctx context.Context) error {
	known, wait := r.journal.checkpoint.Known, 3*operate.ReadMargin // another machine may have noted it, whose clock differs
	if known.IsZero() || known.After(r.now()) {
		r.journal.checkpoint.Announced = r.now()
		if err := r.journal.save(ctx); err != nil {
			return err
		}
		known, wait = r.now(), 2*operate.ReadMargin
		r.journal.checkpoint.Known = known
		if err := r.journal.save(ctx); err != nil {
			return err
		}
	}
	until := known.Add(wait)
	r.show(func(p *ReindexProgress) { p.Phase, p.Until = Announcing, until })
	if left := until.Sub(r.now()); left > 0 {
		if err := r.sleep(ctx, left); err != nil {
			return err
		}
	}
	for {
		longest, err := r.client.longestBulk(ctx)
		if err != nil || longest <= r.now().Sub(known) {
			return err
		}
		if err := r.sleep(ctx, time.Second); err != nil {
			return err
		}
	}
}

// show reports progress.
func (r *reindex) show(change func(*ReindexProgress)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.shown)
	if r.options.Progress != nil {
		r.options.Progress(r.shown)
	}
}
