package replica

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/shared/change"
	"sluice/shared/consumer"
)

// Ranked is a change of a table whose writers keep an attribute that ranks the
// versions of an item. It may stand for several changes of the item.
type Ranked struct {
	Key  Item
	Rank Rank

	attribute string
	item      Item // whole; nil: it was removed
	created   int64
	// inserted: an item came to be at home. Whoever put it found nothing there, and
	// doesn't know why.
	inserted bool
	// lowered: the home table was made to hold what ranks below this.
	lowered bool
	// known are the versions that a change was made over.
	known []Rank
}

// NewRanked returns what a change is for the others, where attribute ranks items.
// Items that can't be ranked are rejected.
//
// A change that lowers an item's rank stands for the version that it replaced:
// that was the greater one. Nobody else would bring it back.
func NewRanked(c *change.Change, attribute string) (*Ranked, error) {
	e := &Ranked{Key: c.Keys.AttributeValues(), attribute: attribute, created: c.Version, inserted: !c.Old.Exists()}
	if _, ok := e.Key[attribute]; ok {
		return nil, consumer.Reject(fmt.Errorf("%w: attribute %s is a key, which no writer can raise", ErrNoRank, attribute))
	}
	if c.LacksOld() {
		return nil, consumer.Reject(fmt.Errorf("%w: a removal has the rank of what it removed", ErrNoOldImage))
	}
	before, old, err := e.image(c.Old)
	if c.Old.Exists() {
		e.known = []Rank{old}
	}
	if !c.New.Exists() {
		if err != nil {
			return nil, consumer.Reject(fmt.Errorf("old image, whose removal has its rank: %w", err))
		}
		e.Rank = old
		e.Rank.removed = true
		return e, nil
	}
	after, rank, err := e.image(c.New)
	if err != nil {
		return nil, consumer.Reject(fmt.Errorf("new image: %w", err))
	}
	e.item, e.Rank = after, rank
	if old.Compare(rank) > 0 {
		e.item, e.Rank, e.lowered = before, old, true
	}
	return e, nil
}

// image returns an image's item, whole, and its rank.
func (e *Ranked) image(image change.Image) (Item, Rank, error) {
	if !image.Exists() {
		return nil, Rank{}, nil
	}
	item := image.AttributeValues()
	maps.Copy(item, e.Key) // the images need not have it
	rank, err := rankOf(item, e.attribute)
	return item, rank, err
}

// PassOver has the change stand for others of its item too, which rank below it or
// are the same.
func (e *Ranked) PassOver(others []*Ranked) {
	for _, o := range others {
		e.inserted = e.inserted || o.inserted
		e.lowered = e.lowered || o.lowered
		e.known = append(e.known[:len(e.known):len(e.known)], o.known...)
	}
}

// knownBelow are the versions whose loss nobody need be told of and that the change
// ranks above whatever else they hold, the greatest first.
func (e *Ranked) knownBelow() []Rank {
	below := slices.DeleteFunc(slices.Clone(e.known), func(r Rank) bool {
		c := r.compareValues(e.Rank)
		return r.kind == unranked || c > 0 || c == 0 && !e.Rank.removed
	})
	slices.SortStableFunc(below, func(a, b Rank) int { return b.Compare(a) })
	return slices.CompactFunc(below, func(a, b Rank) bool { return a.compareValues(b) == 0 })
}

func (e *Ranked) knows(version Rank) bool {
	return slices.ContainsFunc(e.known, func(r Rank) bool { return r.hash == version.hash })
}

// ApplyRanked brings a change made at home to all regions, where of two versions of
// an item that with the greater rank stays. What it returns is as for Table.Put,
// and consumer.Skip for the removal of what was removed already. It may be called
// again after any error.
//
// What replication itself writes comes back as a change, and finds that all the
// others hold it: each change costs one write in every other region, done or
// refused, a removal two there and one at home, and whatever came to be or was
// removed costs one read of a tombstone.
func (p *Peers) ApplyRanked(ctx context.Context, e *Ranked) error {
	if err := p.Home.admitTime(e.created); err != nil {
		return err
	}
	if e.item == nil {
		return p.removeRanked(ctx, e)
	}
	if e.inserted {
		if gone, err := p.takeBackRanked(ctx, e); err != nil || gone {
			return cmp.Or(err, error(consumer.Stale))
		}
	}
	var parts []error
	for _, t := range p.Other {
		parts = append(parts, t.At(p.raise(ctx, t, e)))
	}
	if e.lowered {
		parts = append(parts, p.Home.At(p.raise(ctx, p.Home, e)))
	}
	return consumer.Combine(parts)
}

// raise makes a table hold the change's item unless that holds something greater.
//
// The first try replaces only what the change's writer had before him. Whatever
// else is there loses to it, and has to be kept before it is overwritten.
func (p *Peers) raise(ctx context.Context, t *Table, e *Ranked) error {
	expect := isKnown(e.Key, e.attribute, e.knownBelow())
	var kept Rank
	for range maxTries {
		held, refused, err := t.replace(ctx, e.item, expect)
		if err != nil {
			return err
		}
		there, _ := rankOf(held, e.attribute) // what can't be ranked is below all else
		switch {
		case !refused && (held == nil || there == kept):
			return nil
		case !refused: // written over meanwhile, with the same value
			return p.keepRanked(ctx, t, e, there, held)
		case held == nil:
			expect = isAbsent(e.Key)
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
		if err := p.keepRanked(ctx, t, e, there, held); err != nil {
			return err
		}
		kept = there
		expect = isStill(e.Key, e.attribute, held)
		if there.compareValues(e.Rank) == 0 {
			expect = isExactly(e.Key, e.attribute, held)
		}
	}
	return tooBusy(t)
}

// removeRanked removes what ranks below the change in all regions: the others
// first. So if home has a tombstone as great, all of it was done, or is done by
// whoever wrote it: the change is replication's own then, or came before.
func (p *Peers) removeRanked(ctx context.Context, e *Ranked) error {
	buried, err := p.Home.buriedRank(ctx, e.Key)
	if err != nil {
		return err
	}
	if buried.Compare(e.Rank) >= 0 {
		e.known = append(e.known, buried)
		return cmp.Or(p.clearHome(ctx, e, buried), error(consumer.Skip))
	}
	var parts []error
	for _, t := range p.Other {
		parts = append(parts, t.At(p.buryAndClear(ctx, t, e)))
	}
	outcome := consumer.Combine(parts)
	if done := consumer.OutcomeOf(outcome); done == consumer.Retry || done == consumer.Rejected {
		return outcome
	}
	if _, err := p.Home.buryRank(ctx, e); err != nil {
		return err
	}
	return cmp.Or(p.clearHome(ctx, e, e.Rank), outcome)
}

// takeBackRanked tells whether the item that came to be at home was removed at a
// greater rank. If so, it removes whatever is below that. Every region looks after
// its own: a put may arrive when its sender is long gone.
func (p *Peers) takeBackRanked(ctx context.Context, e *Ranked) (gone bool, err error) {
	buried, err := p.Home.buriedRank(ctx, e.Key)
	if err != nil || buried.Compare(e.Rank) < 0 {
		return false, err
	}
	removal := *e
	removal.known = []Rank{buried}
	return true, p.clearHome(ctx, &removal, buried)
}

// buryAndClear writes the change's tombstone in another region and removes what is
// below it.
func (p *Peers) buryAndClear(ctx context.Context, t *Table, e *Ranked) error {
	buried, err := t.buryRank(ctx, e)
	if err != nil {
		return err
	}
	deleted, err := p.clear(ctx, t, e, e.Rank, isKnown(e.Key, e.attribute, e.knownBelow()))
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
func (p *Peers) clearHome(ctx context.Context, e *Ranked, tombstone Rank) error {
	held, err := p.Home.get(ctx, e.Key)
	if err != nil || held == nil {
		return err
	}
	_, err = p.clear(ctx, p.Home, e, tombstone, isAbsent(e.Key))
	return err
}

// clear deletes an item that is below a tombstone, and tells false if it is above.
// What is deleted without the remover's knowledge is kept before. first is what the
// first try expects.
func (p *Peers) clear(ctx context.Context, t *Table, e *Ranked, tombstone Rank, first expectation) (bool, error) {
	expect := first
	var kept Rank
	for range maxTries {
		held, refused, err := t.deleteRanked(ctx, e.Key, expect)
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
			return true, p.keepRanked(ctx, t, e, there, held)
		case there.Compare(tombstone) > 0:
			return false, nil
		}
		if err := p.keepRanked(ctx, t, e, there, held); err != nil {
			return false, err
		}
		kept = there
		expect = isStill(e.Key, e.attribute, held)
	}
	return false, tooBusy(t)
}

// keepRanked keeps a version that a table held in the log of its region, unless
// the change was made in knowledge of it.
func (p *Peers) keepRanked(ctx context.Context, t *Table, e *Ranked, loser Rank, version Item) error {
	if e.knows(loser) {
		return nil
	}
	return p.keep(ctx, t, e.Key, version, lostVersion{name: loser.version(), at: time.UnixMicro(e.created).UTC(), says: ConflictBeaten})
}

// deleteRanked deletes an item as expected, and returns what was there, or is.
func (t *Table) deleteRanked(ctx context.Context, key Item, expect expectation) (held Item, refused bool, err error) {
	out, err := t.Client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName:                           &t.Name,
		Key:                                 key,
		ConditionExpression:                 &expect.text,
		ExpressionAttributeNames:            expect.names,
		ExpressionAttributeValues:           expect.values,
		ReturnValues:                        types.ReturnValueAllOld,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if held, refused := refusal(err); refused {
		return held, true, nil
	}
	if err != nil {
		return nil, false, t.failed(err, "dynamodb:DeleteItem", t.Name)
	}
	return out.Attributes, false, nil
}
