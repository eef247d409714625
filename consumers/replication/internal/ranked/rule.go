package ranked

import (
	"cmp"
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/consumers/replication/internal/store"
	"sluice/shared/consumer"
)

// Rule applies changes to a table that applications write to in several regions, where an
// attribute ranks the versions of an item. It is safe for concurrent use.
type Rule struct{ *store.Peers }

// Apply brings a change made at home to all regions, where of two versions of
// an item that with the greater rank stays. It returns what became of the change: nil,
// consumer.Duplicate, consumer.Stale, a consumer.Rejection, consumer.Skip for the removal
// of what was removed already, or an error after which Apply has to be called again.
//
// What replication itself writes comes back as a change, and finds that all the
// others hold it: each change costs one write in every other region, done or
// refused, a removal two there and one at home, and whatever came to be or was
// removed costs one read of a tombstone.
func (r Rule) Apply(ctx context.Context, e *Change) error {
	if err := r.Home.Admit(e.created); err != nil {
		return err
	}
	if e.item == nil {
		return r.remove(ctx, e)
	}
	if e.inserted {
		if gone, err := r.takeBack(ctx, e); err != nil || gone {
			return cmp.Or(err, error(consumer.Stale))
		}
	}
	var parts []error
	for _, t := range r.Other {
		parts = append(parts, t.At(r.raise(ctx, t, e)))
	}
	if e.lowered {
		parts = append(parts, r.Home.At(r.raise(ctx, r.Home, e)))
	}
	return consumer.Combine(parts)
}

// raise makes a table hold the change's item unless that holds something greater.
//
// The first try replaces only what the change's writer had before him. Whatever
// else is there loses to it, and has to be kept before it is overwritten.
func (r Rule) raise(ctx context.Context, t *store.Table, e *Change) error {
	expect := isKnown(e.key, e.attribute, e.knownBelow())
	var kept Rank
	for range store.MaxTries {
		held, refused, err := t.Replace(ctx, e.item, expect)
		if err != nil {
			return err
		}
		there, _ := rankOf(held, e.attribute) // what can't be ranked is below all else
		switch {
		case !refused && (held == nil || there == kept):
			return nil
		case !refused: // written over meanwhile, with the same value
			return r.keep(ctx, t, e, there, held)
		case held == nil:
			expect = store.Absent(e.key)
			continue
		}
		if there.ties(e.Rank) {
			t.Ties.Add(1)
		}
		switch there.Compare(e.Rank) {
		case 0:
			return consumer.Duplicate
		case 1:
			return consumer.Stale
		}
		if err := r.keep(ctx, t, e, there, held); err != nil {
			return err
		}
		kept = there
		expect = isStill(e.key, e.attribute, held)
		if there.compareValues(e.Rank) == 0 {
			expect = isExactly(e.key, e.attribute, held)
		}
	}
	return t.TooBusy()
}

// remove removes what ranks below the change in all regions: the others
// first. So if home has a tombstone as great, all of it was done, or is done by
// whoever wrote it: the change is replication's own then, or came before.
func (r Rule) remove(ctx context.Context, e *Change) error {
	buried, err := buriedRank(ctx, r.Home, e.key)
	if err != nil {
		return err
	}
	if buried.Compare(e.Rank) >= 0 {
		e.known = append(e.known, buried)
		return cmp.Or(r.clearHome(ctx, e, buried), error(consumer.Skip))
	}
	var parts []error
	for _, t := range r.Other {
		parts = append(parts, t.At(r.buryAndClear(ctx, t, e)))
	}
	outcome := consumer.Combine(parts)
	if done := consumer.OutcomeOf(outcome); done == consumer.Retry || done == consumer.Rejected {
		return outcome
	}
	if _, err := buryRank(ctx, r.Home, e); err != nil {
		return err
	}
	return cmp.Or(r.clearHome(ctx, e, e.Rank), outcome)
}

// takeBack tells whether the item that came to be at home was removed at a
// greater rank. If so, it removes whatever is below that. Every region looks after
// its own: a put may arrive when its sender is long gone.
func (r Rule) takeBack(ctx context.Context, e *Change) (gone bool, err error) {
	buried, err := buriedRank(ctx, r.Home, e.key)
	if err != nil || buried.Compare(e.Rank) < 0 {
		return false, err
	}
	removal := *e
	removal.known = []Rank{buried}
	return true, r.clearHome(ctx, &removal, buried)
}

// buryAndClear writes the change's tombstone in another region and removes what is
// below it.
func (r Rule) buryAndClear(ctx context.Context, t *store.Table, e *Change) error {
	buried, err := buryRank(ctx, t, e)
	if err != nil {
		return err
	}
	deleted, err := r.clear(ctx, t, e, e.Rank, isKnown(e.key, e.attribute, e.knownBelow()))
	switch c := buried.Compare(e.Rank); {
	case err != nil:
		return err
	case !deleted || c > 0:
		return consumer.Stale
	case c == 0:
		return consumer.Duplicate
	}
	return nil
}

// clearHome removes what is below a tombstone from the home table, where most likely
// there is nothing: a read is cheaper than to be refused.
func (r Rule) clearHome(ctx context.Context, e *Change, tombstone Rank) error {
	held, err := r.Home.Get(ctx, e.key)
	if err != nil || held == nil {
		return err
	}
	_, err = r.clear(ctx, r.Home, e, tombstone, store.Absent(e.key))
	return err
}

// clear deletes an item that is below a tombstone, and tells false if it is above.
// What is deleted without the remover's knowledge is kept before. first is the condition
// of the first try.
func (r Rule) clear(ctx context.Context, t *store.Table, e *Change, tombstone Rank, first store.Condition) (bool, error) {
	expect := first
	var kept Rank
	for range store.MaxTries {
		held, refused, err := t.Delete(ctx, e.key, expect, types.ReturnValueAllOld)
		if err != nil {
			return false, err
		}
		if held == nil {
			return true, nil
		}
		there, _ := rankOf(held, e.attribute)
		switch {
		case !refused && there == kept:
			return true, nil
		case !refused:
			return true, r.keep(ctx, t, e, there, held)
		case there.Compare(tombstone) > 0:
			return false, nil
		}
		if err := r.keep(ctx, t, e, there, held); err != nil {
			return false, err
		}
		kept = there
		expect = isStill(e.key, e.attribute, held)
	}
	return false, t.TooBusy()
}

// keep keeps a version that a table held in the log of its region, unless
// the change was made in knowledge of it.
func (r Rule) keep(ctx context.Context, t *store.Table, e *Change, loser Rank, version store.Item) error {
	if e.knows(loser) {
		return nil
	}
	return r.KeepLost(ctx, t, e.key, version, store.Lost{Name: loser.version(), At: time.UnixMicro(e.created).UTC(), Says: store.ConflictBeaten})
}
