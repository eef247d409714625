package aggregate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/shopspring/decimal"

	"sluice/shared/change"
	"sluice/shared/consumer"
)

// AttrGeneration is the rebuild that an item's sums come from; an item without
// it is as the changes have made it.
const AttrGeneration = "Generation"

// ShadowPrefix begins the names of the attributes that hold an item's new sums
// while its view is being rebuilt.
const ShadowPrefix = "Rebuild."

func shadow(generation int64, sum string) string {
	return ShadowPrefix + strconv.FormatInt(generation, 10) + "." + sum
}

// Window is one rebuild of a view: which changes its scan of the source is
// certain to hold, and which it may hold or not.
type Window struct {
	// Generation numbers a view's rebuilds, those given up too, from 1.
	Generation int64 `json:"generation"`
	// First is the generation of the first attempt, if earlier ones were given
	// up; else the same.
	First int64 `json:"first"`
	// From is the version from which on a change may be in the scan or not; what
	// is older is in it. Microseconds, like all versions.
	From int64 `json:"from"`
	// Until is the last such version; 0 as long as that isn't known.
	Until int64 `json:"until"`
	// Limit is how far Until may go. Items that take no more changes by then are
	// not rebuilt: it would not be known which of their changes count.
	Limit int64 `json:"limit"`
}

func (w Window) end() int64 {
	if w.Until == 0 {
		return w.Limit
	}
	return w.Until
}

func (w Window) covers(version int64) bool {
	return w.Generation > 0 && w.From <= version && version <= w.end()
}

// took tells whether the rebuild has a change in the new sums, or will get it by Stand.
func (w Window) took(id change.ID) bool { return w.Generation > 0 && id.Time() <= w.end() }

// Takes tells whether the rebuild is of this item too.
func (w Window) Takes(t Target) bool {
	return w.Generation > 0 && (t.Closes.IsZero() || t.Closes.UnixMicro() >= w.Limit)
}

// Phase is how far a rebuild has come; empty: none is under way.
type Phase string

// The phases, in their order.
const (
	// Opening: From is announced, but may have been so too late for some function.
	Opening Phase = "opening"
	// Scanning: the source is read.
	Scanning Phase = "scanning"
	// Closing: Until is announced, but may have been so too late.
	Closing Phase = "closing"
	// Switching: the new sums take the places of the old ones, item by item.
	Switching Phase = "switching"
)

// Rebuilds is what is known of a view's rebuilds. The zero value: there were none.
type Rebuilds struct {
	// Done are the windows of those that are done, oldest first, as far back as
	// they matter.
	Done []Window `json:"done,omitempty"`
	// Current is under way if Phase says so.
	Current Window `json:"current,omitzero"`
	Phase   Phase  `json:"phase,omitempty"`
	// Revision counts the writes of this state; see Save.
	Revision int64 `json:"-"`
}

// base is the rebuild that the target's sums come from, or are to come from as
// soon as anybody touches it; generation 0: none.
func (r *Rebuilds) base(t Target) Window {
	if r == nil {
		return Window{}
	}
	if r.Phase == Switching && r.Current.Takes(t) {
		return r.Current
	}
	for _, w := range slices.Backward(r.Done) {
		if w.Takes(t) {
			return w
		}
	}
	return Window{}
}

// shadows is the generation whose shadows a change adds to along with the sums;
// 0: none. Only what is newer than the window is added so, see Stand for the rest.
func (r *Rebuilds) shadows(t Target, version int64) int64 {
	if r == nil || r.Phase != Closing || version <= r.Current.Until || !r.Current.Takes(t) {
		return 0
	}
	return r.Current.Generation
}

// Window returns the rebuild in whose window the version is: such a change must
// be given to Stand too. There is at most one.
func (r *Rebuilds) Window(version int64) (Window, bool) {
	if r == nil {
		return Window{}, false
	}
	if r.Phase != "" && r.Current.covers(version) {
		return r.Current, true
	}
	for _, w := range r.Done {
		if w.covers(version) {
			return w, true
		}
	}
	return Window{}, false
}

// ErrGeneration is returned when an item comes from a later rebuild than the
// caller knows of: read the Rebuilds again, and add again.
var ErrGeneration = errors.New("the view was rebuilt meanwhile")

// expect adds the standing condition of every write to an item: that its sums
// come from the rebuild that the writer takes them to come from. Without it a
// function that hasn't heard of a rebuild would go on by the old rules. An item
// that isn't there is made as of that rebuild.
func (e *expression) expect(t Target, generation int64) {
	if generation == 0 {
		e.condition("attribute_not_exists(%s)", e.name(AttrGeneration))
		return
	}
	g := number64(generation)
	e.condition("(%s = %s OR attribute_not_exists(%s))", e.name(AttrGeneration), e.value(g), e.name(keyName(t)))
	e.set(map[string]types.AttributeValue{AttrGeneration: g})
}

func keyName(t Target) string { return slices.Min(slices.Collect(maps.Keys(t.Key))) }

// checkGeneration compares an item that refused a write with the generation that
// the writer expected. behind: the item has yet to be switched to that one.
func checkGeneration(item map[string]types.AttributeValue, expected int64) (behind bool, err error) {
	if item == nil {
		return false, nil
	}
	generation := int64(0)
	if value, ok := item[AttrGeneration]; ok {
		if err := foreignInteger(AttrGeneration, value); err != nil {
			return false, err
		}
		generation, _ = integer(value)
	}
	if generation > expected {
		return false, fmt.Errorf("the item is of rebuild %d, expected %d: %w", generation, expected, ErrGeneration)
	}
	return generation < expected, nil
}

// Switch puts the sums of a rebuild in the places of the target's old ones,
// unless that has been done or the item isn't there. It returns the item as it is
// then. All that the rebuild knows of must stand in the shadows: its scan is done.
// The error is a consumer.Rejection if DynamoDB refuses the switch for good.
func (t *Table) Switch(ctx context.Context, target Target, w Window) (item map[string]types.AttributeValue, err error) {
	e := newExpression()
	e.condition("attribute_exists(%s)", e.name(keyName(target)))
	e.condition("(attribute_not_exists(%[1]s) OR %[1]s < %[2]s)", e.name(AttrGeneration), e.number(w.Generation))
	e.set(map[string]types.AttributeValue{AttrGeneration: number64(w.Generation)})
	zero := e.value(number(decimal.Zero))
	for _, sum := range target.Sums {
		e.sets = append(e.sets, fmt.Sprintf("%s = if_not_exists(%s, %s)", e.name(sum), e.name(shadow(w.Generation, sum)), zero))
		for g := w.First; g <= w.Generation; g++ {
			e.drops = append(e.drops, e.name(shadow(g, sum)))
		}
	}
	item, written, err := t.write(ctx, target, e)
	if consumer.Refused(err) {
		err = t.rejection(ctx, target, Amount{}, err)
	}
	if err == nil && !written {
		_, err = checkGeneration(item, math.MaxInt64) // what isn't ours never becomes one
	}
	if err != nil {
		return nil, consumer.In(fmt.Sprintf("%s, group %q: switch to rebuild %d", t.Name, target.Group, w.Generation), err)
	}
	return item, nil
}
