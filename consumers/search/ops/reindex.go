package ops

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"sluice/consumers/search/internal/index"
)

// How a route's index X is made anew while changes flow, in an index X-2 that takes
// the place of X-1:
//
//  1. X-2 is made from the route's definition, with the alias X-next alone. When every
//     node of OpenSearch has said that it knows, functions' requests learn of it from
//     their own answers, and write to both (live.go). Requests that began before are
//     waited for: their changes were in the table before, and their tombstones are in X-1.
//  2. Twice ReadMargin later the table is read, strongly consistent. An item counts as a
//     change made ReadMargin before it was asked for. So each change that is newer than
//     an item as it was read was made after step 1 and goes to both indexes, and each
//     change that reading didn't see is newer. Clocks may differ by less than ReadMargin.
//  3. X-1's tombstones are copied with their versions, since reading the table doesn't
//     find what isn't there. Removals since step 1 have theirs in X-2 already.
//  4. One request moves X and X-all and takes X-next away. A function's request, too, finds
//     all aliases as they are at one moment: before it, it writes to both, after it, to
//     X-2 alone. A request that finds X-next gone has written to X-all in the same moment.
//  5. When the searches that found X-1 are done, it is deleted.
//
// All of it can be repeated. How far each part of the table has been read stands in X-2's
// mapping, under _meta. The move and the giving up name X-next as an alias that must be
// there: of both only one is done, once.

// ReindexOptions say how to make an index anew.
type ReindexOptions struct {
	// Segments is how many parts of the table are read side by side, 1 to 1,000.
	Segments int
	// LeaveOutRefused moves the alias though the new index refuses documents.
	LeaveOutRefused bool
	// KeepOld leaves the old index there.
	KeepOld bool
	// Fewer is asked before the aliases move how many documents searches found before, and find then. Its error
	// ends the reindex, which can be gone on with. nil: nobody is asked.
	Fewer func(before, after int) error
	// Progress is told of what is done, one call at a time; nil: nobody is.
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
	Total int64     // about how many the table has
	Until time.Time // when a wait is over, if one began
}

// Reindexed is what a reindex has done.
type Reindexed struct {
	Route      string   `json:"route"`
	From       string   `json:"from"`       // the old index
	To         string   `json:"to"`         // the new one
	Resumed    bool     `json:"resumed"`    // it went on with an index that was there
	Read       int      `json:"read"`       // items, by this run
	Written    int      `json:"written"`    // documents of these; of others a change came first, or the route doesn't take them
	Tombstones int      `json:"tombstones"` // that were copied
	Refused    int      `json:"refused"`    // documents that the new index can't take
	Reasons    []string `json:"reasons"`    // of the first of these
	Moved      bool     `json:"moved"`      // the aliases lead to the new index
	Kept       bool     `json:"kept"`       // the old index is still there
	Left       []string `json:"left"`       // indexes of earlier times that nobody searches
}

const maxReasons = 20

// Reindex fills a new index from the table by the route's definition while changes
// flow, and moves the aliases there at once. Everything that the old one shows, the new one
// shows; a change that is made in the second of the move may be seen up to a refresh
// later than before. After an error, or when ctx ended, live changes keep going to both
// indexes, and another Reindex goes on. Two at one time do each other no harm.
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
	source  *source

	journal journal // of the new index

	mu     sync.Mutex // guards what follows
	result Reindexed
	shown  ReindexProgress
}

func (r *reindex) run(ctx context.Context) error {
	var err error
	if r.source, err = r.Operator.source(ctx); err != nil {
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
	r.show(func(p *ReindexProgress) { p.To, p.Total = r.result.To, r.source.Items })
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

// overtaken tells what became of an index that isn't there: somebody else may have moved
// the aliases, or given the new one up.
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

// begin makes the new index, or goes on with one that is there.
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

// announce waits until every change goes to both indexes. A run that goes on counts what earlier ones waited, or one that
// is stopped again and again would never get past it.
func (r *reindex) announce(ctx context.Context) error {
	known, wait := r.journal.checkpoint.Known, 3*ReadMargin // another machine may have noted it, whose clock differs
	if known.IsZero() || known.After(r.now()) {
		r.journal.checkpoint.Announced = r.now()
		if err := r.journal.save(ctx); err != nil {
			return err
		}
		known, wait = r.now(), 2*ReadMargin
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

// readTable fills the new index from the table.
func (r *reindex) readTable(ctx context.Context) error {
	r.show(func(p *ReindexProgress) { p.Phase, p.Until = Reading, time.Time{} })
	group, groupCtx := errgroup.WithContext(ctx)
	for n := range r.journal.checkpoint.Segments {
		group.Go(func() error { return r.segment(groupCtx, n) })
	}
	return group.Wait()
}

// show tells of progress.
func (r *reindex) show(change func(*ReindexProgress)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.shown)
	if r.options.Progress != nil {
		r.options.Progress(r.shown)
	}
}
