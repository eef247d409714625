package consumer

import (
	"slices"

	"sluice/shared/change"
)

// Item has a batch's changes of one item, and what became of each. R ranks the changes, by their versions or otherwise, and V is
// what the consumer makes of one. Next, Record and Apply serve a destination to which only the newest change is written.
type Item[R comparable, V any] struct {
	Key      string
	Versions []*Version[R, V] // the newest first, once they are sorted
	Tried    int              // which of them was tried last
	next     int              // which is tried next
}

// Version is one change of an Item.
type Version[R comparable, V any] struct {
	Rank  R
	Of    V
	Index int   // of the change in the batch
	Err   error // what became of it
}

// ByItem makes items of a batch's changes, in the order of their first ones. parse returns the key of a change's item and what the
// consumer makes of the change; false: the change isn't to be applied.
func ByItem[R comparable, V any](batch []*change.Change, parse func(index int, c *change.Change) (key string, rank R, v V, ok bool)) []*Item[R, V] {
	var items []*Item[R, V]
	byKey := map[string]*Item[R, V]{}
	for index, c := range batch {
		key, rank, v, ok := parse(index, c)
		if !ok {
			continue
		}
		if byKey[key] == nil {
			byKey[key] = &Item[R, V]{Key: key}
			items = append(items, byKey[key])
		}
		byKey[key].Versions = append(byKey[key].Versions, &Version[R, V]{Rank: rank, Of: v, Index: index})
	}
	return items
}

// Sort puts the newest version first. Versions of one rank stay in their order.
func (i *Item[R, V]) Sort(compare func(a, b R) int) {
	slices.SortStableFunc(i.Versions, func(a, b *Version[R, V]) int { return compare(b.Rank, a.Rank) })
}

// Next returns the version to apply next, and whether that passes over older ones.
func (i *Item[R, V]) Next() (v *Version[R, V], passesOver bool) {
	return i.Versions[i.next], i.next+1 < len(i.Versions)
}

// Done reports whether every version has an outcome.
func (i *Item[R, V]) Done() bool { return i.next == len(i.Versions) }

// Record records what became of the Next version, and what follows for older ones. If it can never be applied, the one before it is
// the next. If it has to come again, older ones have to as well: an older one, applied alone, would be taken for the newest until
// then. Otherwise they are stale, or duplicates if they have the same rank.
func (i *Item[R, V]) Record(err error) {
	tried := i.Versions[i.next]
	tried.Err = err
	i.Tried = i.next
	i.next++
	outcome := OutcomeOf(err)
	if outcome == Rejected {
		return
	}
	for ; !i.Done(); i.next++ {
		switch older := i.Versions[i.next]; {
		case outcome == Retry:
			older.Err = err
		case older.Rank == tried.Rank:
			older.Err = Duplicate
		default:
			older.Err = Stale
		}
	}
}

// Fail gives all versions one error.
func (i *Item[R, V]) Fail(err error) {
	for _, v := range i.Versions {
		v.Err = err
	}
}

// Spread puts what became of the versions into the errors of the batch.
func (i *Item[R, V]) Spread(errs []error) {
	for _, v := range i.Versions {
		errs[v.Index] = v.Err
	}
}

// Again makes the version that was tried last the next one.
func (i *Item[R, V]) Again() { i.next = i.Tried }

// Apply applies the newest version that isn't rejected.
func (i *Item[R, V]) Apply(apply func(v *Version[R, V], passesOver bool) error) {
	for !i.Done() {
		i.Record(apply(i.Next()))
	}
}
