package verify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	smithytime "github.com/aws/smithy-go/time"
	"github.com/shopspring/decimal"

	"sluice/shared/change"
	"sluice/shared/view"
)

// The defaults of a Comparison.
const (
	DefaultMargin   = 10 * time.Second
	DefaultPatience = 30 * time.Second
	DefaultSegments = 4
	DefaultAnswer   = 20 * time.Second
)

// MaxNamed is how many unusable items a Result names.
const MaxNamed = 100

// Comparison compares views of one file with their sources.
type Comparison struct {
	Client *dynamodb.Client
	Views  []*view.View
	// Horizon is the consumer's setting.
	Horizon time.Duration
	// Segments is in how many parts each table is read side by side.
	Segments int
	// Margin is how long a difference has to stay before it counts.
	Margin time.Duration
	// Patience is how long after the first look what differs is looked at again; at least
	// for Margin.
	Patience time.Duration
	// Waiting, if set, is called before sums that differ are looked at again, with their number and how long that takes at most.
	Waiting func(differ int, wait time.Duration)
	// Answer is how long a server may take for one page, repeats included.
	Answer time.Duration
	Now    func() time.Time
	// Sleep waits; nil: for so long by a timer.
	Sleep func(context.Context, time.Duration) error
}

// New returns a Comparison with the defaults. The caller may change them before it runs.
func New(client *dynamodb.Client, views []*view.View, horizon time.Duration) *Comparison {
	return &Comparison{
		Client: client, Views: views, Horizon: horizon, Now: time.Now,
		Segments: DefaultSegments, Margin: DefaultMargin, Patience: DefaultPatience, Answer: DefaultAnswer,
	}
}

// Result is what a comparison found.
type Result struct {
	Views       []View       `json:"views"`
	Differences []Difference `json:"differences"`
	// Moving are sums that differed at every look, but whose items took changes all the
	// time. Nobody knows whether they are right.
	Moving []Difference `json:"moving"`
	// InFlight is how many sums differed at first and were equal later.
	InFlight int `json:"inFlight"`
	// Unusable are items that can't be used; Named are the first MaxNamed of them.
	Unusable int    `json:"unusable"`
	Named    []Item `json:"named"`
}

// View is how much of a view was compared.
type View struct {
	Name string `json:"name"`
	// Items are those of the view, or of its source's sums, that were compared.
	Items int `json:"items"`
	// Closed are items of boxes that have closed or are about to; they were not compared.
	Closed int `json:"closed,omitempty"`
	// NotCompared says why the whole view was not compared; empty: it was.
	NotCompared string `json:"notCompared,omitempty"`
}

// Difference is a sum of a view's item that isn't the sum of its source's items.
type Difference struct {
	View   string          `json:"view"`
	Key    string          `json:"key"`
	Sum    string          `json:"sum"`
	Source decimal.Decimal `json:"source"` // what the source's items add up to
	Stored decimal.Decimal `json:"stored"`
}

// Holdable reports whether DynamoDB can hold the sum that the source's items have.
func (d Difference) Holdable() bool { return change.IsNumber(d.Source.String()) }

// Item is an item that can't be used, and why.
type Item struct {
	Table  string `json:"table"`
	Key    string `json:"key"`
	Reason string `json:"reason"`
}

// cell is one sum of one item of a view.
type cell struct{ view, key, sum string }

func (c cell) compare(o cell) int {
	return cmp.Or(cmp.Compare(c.view, o.view), cmp.Compare(c.key, o.key), cmp.Compare(c.sum, o.sum))
}

// suspect is a sum that has differed at every look so far.
type suspect struct {
	source, stored decimal.Decimal
	taken          string    // what the view's item had taken, see aggregate.Taken
	since          time.Time // the end of the first look at which taken was this
	stays          bool      // for Margin
}

// Run compares. It ends with an error if a table can't be read, or ctx ends: then it isn't
// known what differs.
func (c *Comparison) Run(ctx context.Context) (Result, error) {
	patience := max(c.Patience, c.Margin)
	// Boxes that close meanwhile would take no change from then on.
	r := &run{Comparison: c, closes: c.Now().Add(patience + c.Margin)}
	first, err := r.look(ctx, nil)
	if err != nil {
		return Result{}, fmt.Errorf("%w\nnothing is known of what differs", err)
	}
	suspects := map[cell]suspect{}
	r.update(suspects, first)
	seen := len(suspects)
	end := first.ended.Add(patience)
	if c.Waiting != nil && !allStay(suspects) {
		c.Waiting(seen, patience)
	}
	for pause := time.Second; !allStay(suspects) && c.Now().Before(end); pause = min(2*pause, max(c.Margin, time.Second)) {
		again, err := r.lookAfter(ctx, min(pause, end.Sub(c.Now())), suspects)
		if err != nil {
			return Result{}, fmt.Errorf("%w\n%d sums differed at the last look; whether changes were in flight isn't known", err, len(suspects))
		}
		r.update(suspects, again)
	}
	return first.result(seen, suspects), nil
}

func (r *run) lookAfter(ctx context.Context, pause time.Duration, suspects map[cell]suspect) (*look, error) {
	sleep := r.Sleep
	if sleep == nil {
		sleep = smithytime.SleepWithContext
	}
	if err := sleep(ctx, pause); err != nil {
		return nil, err
	}
	return r.look(ctx, suspects)
}

func allStay(suspects map[cell]suspect) bool {
	for _, s := range suspects {
		if !s.stays {
			return false
		}
	}
	return true
}

// run is one call of Run.
type run struct {
	*Comparison
	closes time.Time
}

// update takes out suspects that are equal in the look, and judges the others. The first
// look, for which there are no suspects yet, makes them.
func (r *run) update(suspects map[cell]suspect, l *look) {
	for c := range l.cells() {
		source, stored := l.source[c], l.stored[c]
		before, known := suspects[c]
		if !known && l.only != nil {
			continue
		}
		if source.Equal(stored) {
			delete(suspects, c)
			continue
		}
		s := suspect{source: source, stored: stored, taken: l.taken[cell{c.view, c.key, ""}], since: l.ended}
		if known && before.taken == s.taken && before.stored.Equal(s.stored) {
			s.since = before.since
		}
		s.stays = r.Margin == 0 || !l.began.Before(s.since.Add(r.Margin))
		suspects[c] = s
	}
}

// result sums up.
func (l *look) result(seen int, suspects map[cell]suspect) Result {
	result := Result{Views: l.views(), Differences: []Difference{}, Moving: []Difference{}, InFlight: seen - len(suspects), Unusable: l.unusable, Named: l.named}
	for _, c := range slices.SortedFunc(maps.Keys(suspects), cell.compare) {
		s := suspects[c]
		d := Difference{View: c.view, Key: c.key, Sum: c.sum, Source: s.source, Stored: s.stored}
		if s.stays {
			result.Differences = append(result.Differences, d)
		} else {
			result.Moving = append(result.Moving, d)
		}
	}
	slices.SortFunc(result.Named, func(a, b Item) int {
		return cmp.Or(cmp.Compare(a.Table, b.Table), cmp.Compare(a.Key, b.Key), cmp.Compare(a.Reason, b.Reason))
	})
	return result
}

// Validate reports every fault at once.
func (c *Comparison) Validate() error {
	var faults []error
	if c.Segments < 1 {
		faults = append(faults, fmt.Errorf("segments must be at least 1 (got %d)", c.Segments))
	}
	if c.Margin < 0 || c.Patience < 0 {
		faults = append(faults, fmt.Errorf("margin and patience must not be negative (got %v and %v)", c.Margin, c.Patience))
	}
	if c.Answer <= 0 {
		faults = append(faults, fmt.Errorf("the time for an answer must be positive (got %v)", c.Answer))
	}
	return errors.Join(faults...)
}
