package replica

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/consumers/replication/mark"
	"sluice/shared/consumer"
)

// Item is an item, or its key attributes alone, as the SDK has it.
type Item = map[string]types.AttributeValue

// Table is a table that holds copies. It is safe for concurrent use, also by
// several processes on the same tables.
type Table struct {
	Client *dynamodb.Client // in the table's region
	Region string           // its name, for errors
	Name   string
	// Tombstones is the table, in the same region, that remembers removed items:
	// key Item (B), time to live in ExpiresAt. Several tables may share one.
	Tombstones string
	// Horizon is how long a tombstone is remembered after its change's creation.
	Horizon time.Duration
	Now     func() time.Time

	// Ties counts how often a change met another one of its item that was made at
	// the same time, so that only a hash decided which of them stays.
	Ties atomic.Int64
}

// The conditions compare with the mark of what the table holds; an item without
// a mark counts as older than any.
const (
	absentOrOlder = "attribute_not_exists(#sluice.#mark) OR #sluice.#mark < :mark"
	noneOrOlder   = "attribute_not_exists(#mark) OR #mark < :mark"
)

// Put makes item, which has the key attributes and becomes Put's own, the copy
// that the table holds, unless it holds a newer one or remembers that the item
// was removed later. It returns what became of it: nil, consumer.Duplicate if
// this very change was there, consumer.Stale, a consumer.Rejection, or an error
// after which it may or may not be written and has to be given to Put again.
//
// It costs one write for the item and, unless that replaced an older one, one
// strongly consistent read of a tombstone; that too if the put passes over older
// ones of the item, which their callers take for settled then: any of them may
// have been written by a caller that died before it looked for the tombstone.
func (t *Table) Put(ctx context.Context, key, item Item, m mark.Mark, passesOver bool) error {
	u, err := t.Begin(ctx, key, item, m, passesOver)
	if u == nil {
		return err
	}
	return t.Settle(ctx, []*Unsettled{u})[0]
}

// Begin is Put without the look for a tombstone, so that several can look for
// theirs together. If the put needs one, Begin returns it for Settle, which has to
// follow; else it is done.
func (t *Table) Begin(ctx context.Context, key, item Item, m mark.Mark, passesOver bool) (*Unsettled, error) {
	if err := t.admit(m); err != nil {
		return nil, err
	}
	item[mark.Attribute] = &types.AttributeValueMemberM{Value: Item{mark.Field: m.Value()}}
	held, refused, err := t.replace(ctx, item, expectation{absentOrOlder, markPath, Item{":mark": m.Value()}})
	if err != nil {
		return nil, err
	}
	before, err := mark.In(held)
	if err != nil {
		return nil, t.foreign(err)
	}
	t.noteTie(m, before)
	if !refused && before != "" && !passesOver {
		return nil, nil // over an older copy; whoever wrote that looked for a tombstone, or will
	}
	// Also if it was refused: an earlier try may have died between putting the item
	// and looking for a tombstone, and a newer put may be about to.
	return &Unsettled{key: key, mark: m, before: before, refused: refused}, nil
}

// takeBack tells whether the item was removed later than m. If so, it removes
// what is older than that removal.
func (t *Table) takeBack(ctx context.Context, key Item, m mark.Mark) (gone bool, err error) {
	tombstone, err := t.tombstone(ctx, key)
	if err != nil {
		return false, err
	}
	return t.takeBackFrom(ctx, key, m, tombstone)
}

// takeBackFrom is takeBack for a tombstone that has been read.
func (t *Table) takeBackFrom(ctx context.Context, key Item, m, tombstone mark.Mark) (gone bool, err error) {
	t.noteTie(m, tombstone)
	if tombstone <= m {
		return false, nil
	}
	_, err = t.deleteOlder(ctx, key, tombstone)
	return true, err
}

// Remove removes the item unless the table holds a newer one. First it writes a
// tombstone, so that nothing older can bring the item back. What it returns is as
// for Put. It costs two writes.
func (t *Table) Remove(ctx context.Context, key Item, m mark.Mark) error {
	if err := t.admit(m); err != nil {
		return err
	}
	before, err := t.bury(ctx, key, m)
	if err != nil {
		return err
	}
	t.noteTie(m, before)
	// Also if the tombstone was there: whoever wrote it may have died before this.
	deleted, err := t.deleteOlder(ctx, key, m)
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
func (t *Table) deleteOlder(ctx context.Context, key Item, m mark.Mark) (bool, error) {
	_, err := t.Client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName:                           &t.Name,
		Key:                                 key,
		ConditionExpression:                 aws.String(absentOrOlder),
		ExpressionAttributeNames:            markPath,
		ExpressionAttributeValues:           Item{":mark": m.Value()},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	held, refused := refusal(err)
	if !refused {
		return err == nil, t.failed(err, "dynamodb:DeleteItem", t.Name)
	}
	before, err := mark.In(held)
	if err != nil {
		return false, t.foreign(err)
	}
	t.noteTie(m, before)
	return false, nil
}

var markPath = map[string]string{"#sluice": mark.Attribute, "#mark": mark.Field}

// admit refuses a change that is so old that its item's tombstone may be forgotten.
func (t *Table) admit(m mark.Mark) error { return t.admitTime(m.Created()) }

// admitTime is admit for a change created at a time in microseconds.
func (t *Table) admitTime(µs int64) error {
	created := time.UnixMicro(µs).UTC()
	if created.Before(t.Now().Add(-t.Horizon)) {
		return consumer.RejectFor(consumer.TooOld, fmt.Errorf(
			"created %s, before the horizon of %v: whether the item was removed since is no longer known; compare source and replica with sluice verify replication",
			created.Format(time.RFC3339), t.Horizon))
	}
	return nil
}

func (t *Table) noteTie(m, other mark.Mark) {
	if m.Ties(other) {
		t.Ties.Add(1)
	}
}

// refusal returns the item that kept a condition from holding, and whether err
// is such a refusal.
func refusal(err error) (Item, bool) {
	refused, ok := errors.AsType[*types.ConditionalCheckFailedException](err)
	if !ok {
		return nil, false
	}
	return refused.Item, true
}
