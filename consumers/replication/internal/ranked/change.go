package ranked

import (
	"fmt"
	"maps"
	"slices"

	"sluice/consumers/replication/internal/store"
	"sluice/shared/change"
	"sluice/shared/consumer"
)

// Change is a change of a table whose writers keep an attribute that ranks the
// versions of an item. It may stand for several changes of the item.
type Change struct {
	Rank Rank

	key       store.Item
	attribute string
	item      store.Item // whole; nil: it was removed
	created   int64
	// inserted: an item came to be at home. Whoever put it found nothing there, and
	// doesn't know why.
	inserted bool
	// lowered: the home table was made to hold what ranks below this.
	lowered bool
	// known are the versions that a change was made over.
	known []Rank
}

// NewChange returns what a change is for the others, where attribute ranks items.
// Items that can't be ranked are rejected.
//
// A change that lowers an item's rank stands for the version that it replaced:
// that was the greater one. Nobody else would bring it back.
func NewChange(c *change.Change, attribute string) (*Change, error) {
	e := &Change{key: c.Keys.AttributeValues(), attribute: attribute, created: c.Version, inserted: !c.Old.Exists()}
	if _, ok := e.key[attribute]; ok {
		return nil, consumer.Reject(fmt.Errorf("%w: attribute %s is a key, which no writer can raise", errNoRank, attribute))
	}
	if c.LacksOld() {
		return nil, consumer.Reject(fmt.Errorf("%w: a removal has the rank of what it removed", store.ErrNoOldImage))
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
func (e *Change) image(image change.Image) (store.Item, Rank, error) {
	if !image.Exists() {
		return nil, Rank{}, nil
	}
	item := image.AttributeValues()
	maps.Copy(item, e.key) // the images need not have it
	rank, err := rankOf(item, e.attribute)
	return item, rank, err
}

// PassOver has the change stand for others of its item too, which rank below it or
// are the same.
func (e *Change) PassOver(others []*Change) {
	for _, o := range others {
		e.inserted = e.inserted || o.inserted
		e.lowered = e.lowered || o.lowered
		e.known = append(e.known[:len(e.known):len(e.known)], o.known...)
	}
}

// knownBelow returns, the greatest first, the versions that the change replaced knowingly,
// so that their loss is no conflict, and that rank below it whatever else they hold.
func (e *Change) knownBelow() []Rank {
	below := slices.DeleteFunc(slices.Clone(e.known), func(r Rank) bool {
		c := r.compareValues(e.Rank)
		return r.kind == unranked || c > 0 || c == 0 && !e.Rank.removed
	})
	slices.SortStableFunc(below, func(a, b Rank) int { return b.Compare(a) })
	return slices.CompactFunc(below, func(a, b Rank) bool { return a.compareValues(b) == 0 })
}

func (e *Change) knows(version Rank) bool {
	return slices.ContainsFunc(e.known, func(r Rank) bool { return r.hash == version.hash })
}
