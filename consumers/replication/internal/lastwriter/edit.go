package lastwriter

import (
	"encoding/binary"
	"fmt"

	"github.com/cespare/xxhash/v2"

	"sluice/consumers/replication/internal/store"
	"sluice/consumers/replication/mark"
	"sluice/shared/change"
	"sluice/shared/consumer"
)

// Edit is a change of an application that is brought to all regions.
type Edit struct {
	Key  store.Item
	Mark mark.Mark

	item store.Item // after the change, without mark.Attribute; nil: it was removed
	// history is what the application had before it, and the change itself.
	history       history
	before, after itemState // of the item, as the change tells it
	inserted      bool
	// Unsure: another change of the item may have been left half-done, and isn't
	// going to be finished by itself. Set it when others are passed over for this one.
	Unsure bool
	seed   uint64
	names  uint64
	hash   uint64
}

// Echo tells that replication made the change itself: nobody need be told of it.
func (e *Edit) Echo() bool {
	// Applications leave the mark as it is, or drop it with the whole item.
	return e.after.Mark > e.before.Mark || e.item == nil && e.before.Deleting
}

// NewEdit returns what a change made in region home is for the others. seed must be
// random: the writes of data are named by it.
//
// The mark's clock is ahead of what the writer had before him, in whichever region
// that was written. So it is newer, even if this region's clock is behind.
func NewEdit(c *change.Change, home string, seed uint64) (*Edit, error) {
	if c.LacksOld() {
		return nil, consumer.Reject(fmt.Errorf("%w: its mark says who removed the item, an application or replication itself", store.ErrNoOldImage))
	}
	e := &Edit{Key: c.Keys.AttributeValues(), inserted: !c.Old.Exists(), seed: seed}
	var err error
	if e.before, err = stateInImage(c.Old); err != nil {
		return nil, consumer.Reject(fmt.Errorf("old image: %w", err))
	}
	if c.New.Exists() {
		e.item = c.New.AttributeValues()
		if e.after, err = stateInImage(c.New); err != nil {
			return nil, consumer.Reject(fmt.Errorf("new image: %w", err))
		}
		delete(e.item, mark.Attribute)
	}
	e.hash = c.Hash()
	e.Mark = mark.New(max(c.Version, e.before.Mark.Clock()+1), c.Version, e.hash, home)
	e.history = e.before.History.with(e.Mark)
	return e, nil
}

// stateInImage reads what an image carries.
func stateInImage(image change.Image) (itemState, error) {
	v, ok := image.Get(mark.Attribute)
	if !ok {
		return itemState{}, nil
	}
	return stateIn(store.Item{mark.Attribute: v.AttributeValue()})
}

// name returns a name for a write of data that no other write has.
func (e *Edit) name() string {
	e.names++
	var b [24]byte
	binary.BigEndian.PutUint64(b[:], e.seed)
	binary.BigEndian.PutUint64(b[8:], e.names)
	binary.BigEndian.PutUint64(b[16:], xxhash.Sum64String(string(e.Mark)))
	return string(binary.BigEndian.AppendUint64(nil, xxhash.Sum64(b[:])))
}

// appeared tells whether replication put an item where there was none.
func (e *Edit) appeared() bool { return e.inserted && e.after.Mark != "" }

// stateWith is what an item with the edit's data carries.
func (e *Edit) stateWith(base string) itemState {
	return itemState{Mark: e.Mark, Base: base, History: e.history}
}
