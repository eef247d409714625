package oneway

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/consumers/replication/internal/store"
	"sluice/consumers/replication/mark"
	"sluice/shared/consumer"
)

// Copy is a table that holds copies, and that nobody else writes to. It is safe for
// concurrent use, also by several processes on the same tables.
type Copy struct{ *store.Table }

// olderThan is the condition that the table holds nothing or something older than a mark.
// An item without a mark counts as older than any.
func olderThan(m mark.Mark) store.Condition {
	return store.Condition{Text: absentOrOlder, Names: markPath, Values: store.Item{":mark": m.Value()}}
}

const absentOrOlder = "attribute_not_exists(#sluice.#mark) OR #sluice.#mark < :mark"

var markPath = map[string]string{"#sluice": mark.Attribute, "#mark": mark.Field}

// Put makes item, which has the key attributes and becomes Put's own, the copy
// that the table holds, unless it holds a newer one or remembers that the item
// was removed later. It returns what became of it: nil, consumer.Duplicate if
// this very change was there, consumer.Stale, a consumer.Rejection, or an error
// after which it may or may not be written and has to be given to Put again.
//
// It costs one write for the item. Unless that replaced an older one, it costs a
// strongly consistent read of a tombstone too. With passesOver the read is always made:
// the caller leaves out an older change of the item, and a function that died may have
// written that without a look for the tombstone.
func (c Copy) Put(ctx context.Context, key, item store.Item, m mark.Mark, passesOver bool) error {
	p, err := c.Begin(ctx, key, item, m, passesOver)
	if p == nil {
		return err
	}
	return c.Finish(ctx, []*Pending{p})[0]
}

// Begin is Put without the look for a tombstone, so that several can look for
// theirs together. If the put needs one, Begin returns it for Finish, which has to
// follow; else it is done.
func (c Copy) Begin(ctx context.Context, key, item store.Item, m mark.Mark, passesOver bool) (*Pending, error) {
	if err := c.Admit(m.Created()); err != nil {
		return nil, err
	}
	item[mark.Attribute] = &types.AttributeValueMemberM{Value: store.Item{mark.Field: m.Value()}}
	held, refused, err := c.Replace(ctx, item, olderThan(m))
	if err != nil {
		return nil, err
	}
	before, err := mark.In(held)
	if err != nil {
		return nil, c.Foreign(err)
	}
	c.NoteTie(m, before)
	if !refused && before != "" && !passesOver {
		return nil, nil // over an older copy; whoever wrote that looked for a tombstone, or will
	}
	// Also if it was refused: an earlier try may have died between putting the item
	// and looking for a tombstone, and a newer put may be about to.
	return &Pending{key: key, mark: m, before: before, refused: refused}, nil
}

// TakeBack tells whether the item was removed later than m. If so, it removes
// what is older than that removal.
func (c Copy) TakeBack(ctx context.Context, key store.Item, m mark.Mark) (gone bool, err error) {
	tombstone, _, err := c.Buried(ctx, key)
	if err != nil {
		return false, err
	}
	return c.takeBackFrom(ctx, key, m, tombstone)
}

// takeBackFrom is TakeBack for a tombstone that has been read.
func (c Copy) takeBackFrom(ctx context.Context, key store.Item, m, tombstone mark.Mark) (gone bool, err error) {
	c.NoteTie(m, tombstone)
	if tombstone <= m {
		return false, nil
	}
	_, err = c.deleteOlder(ctx, key, tombstone)
	return true, err
}

// Remove removes the item unless the table holds a newer one. First it writes a
// tombstone, so that nothing older can bring the item back. What it returns is as
// for Put. It costs two writes.
func (c Copy) Remove(ctx context.Context, key store.Item, m mark.Mark) error {
	if err := c.Admit(m.Created()); err != nil {
		return err
	}
	before, err := c.Bury(ctx, key, m, nil)
	if err != nil {
		return err
	}
	c.NoteTie(m, before)
	// Also if the tombstone was there: whoever wrote it may have died before this.
	deleted, err := c.deleteOlder(ctx, key, m)
	switch {
	case err != nil:
		return err
	case before == m:
		return consumer.Duplicate
	case before > m || !deleted:
		return consumer.Stale
	}
	return nil
}

// deleteOlder deletes the item if it is older than m or absent, and tells false
// if it is newer.
func (c Copy) deleteOlder(ctx context.Context, key store.Item, m mark.Mark) (bool, error) {
	held, refused, err := c.Delete(ctx, key, olderThan(m), types.ReturnValueNone)
	if !refused {
		return err == nil, err
	}
	before, err := mark.In(held)
	if err != nil {
		return false, c.Foreign(err)
	}
	c.NoteTie(m, before)
	return false, nil
}
