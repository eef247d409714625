package store

import (
	"errors"
	"fmt"

	"sluice/consumers/replication/mark"
	"sluice/shared/consumer"
)

// MaxItemBytes is how large an item may be, the names of its attributes included:
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
const MaxItemBytes = 400 << 10

// ErrMarkDoesNotFit is returned for an item that would fit into its table without
// the mark that a copy carries.
var ErrMarkDoesNotFit = errors.New("the item is too large for a copy")

// ErrNoOldImage is returned for a removal that lacks its old image, in a table that several
// regions write to.
var ErrNoOldImage = errors.New("the removal lacks its old image, so that it can't be brought to other regions: remove the item there, or write and remove it again")

// ErrOddKeys is returned for a change whose keys aren't those of its table.
var ErrOddKeys = errors.New("the change's keys aren't those of its table")

// putFailed is failed for a PutItem of item, whose size may be the reason.
func (t *Table) putFailed(err error, item Item) error {
	carried, ok := item[mark.Attribute]
	if !ok || !consumer.Refused(err) {
		return t.failed(err, "dynamodb:PutItem", t.Name)
	}
	marked := Size(item)
	own := marked - len(mark.Attribute) - valueSize(carried)
	if marked > MaxItemBytes && own <= MaxItemBytes {
		return consumer.Reject(fmt.Errorf("table %s (%s): %w: it has %d bytes, with the attribute %s that it carries as a copy %d, and DynamoDB takes %d: %w",
			t.Name, t.Region, ErrMarkDoesNotFit, own, mark.Attribute, marked, MaxItemBytes, err))
	}
	return t.failed(err, "dynamodb:PutItem", t.Name)
}

// where names one of the region's tables, in errors and as a destination.
func (t *Table) where(table string) string { return fmt.Sprintf("table %s (%s)", table, t.Region) }

// At is consumer.At for what became of a change in the table.
func (t *Table) At(err error) error { return consumer.At(t.where(t.Name), err) }

// failed says what an error of DynamoDB means: invalid requests can never be
// applied, everything else can be tried again. It names the very table that failed
// as the destination, but what succeeds is noted for the table of the copies alone.
// So what needs a table of tombstones that is missing or forbidden waits for it, and
// isn't stuck because other changes get on without.
func (t *Table) failed(err error, action, table string) error {
	if err == nil {
		return nil
	}
	where := t.where(table)
	switch {
	case consumer.Refused(err):
		err = consumer.Reject(fmt.Errorf("%s: %w", where, err))
	case consumer.ErrorCode(err) == "AccessDeniedException":
		err = fmt.Errorf("%s: the credentials need the right to %s on arn:aws:dynamodb:%s:*:table/%s: %w", where, action, t.Region, table, err)
	case consumer.ErrorCode(err) == "ResourceNotFoundException":
		err = fmt.Errorf("%s does not exist; consumers/replication/destination.yaml has it: %w", where, err)
	default:
		err = fmt.Errorf("%s: %w", where, err)
	}
	return consumer.At(where, err)
}

// Foreign is the error for an item whose mark can't be read.
func (t *Table) Foreign(err error) error {
	return fmt.Errorf("table %s (%s): an item there: %w; remove the attribute or the item", t.Name, t.Region, err)
}

// TooBusy is the error for an item that others changed at each of MaxTries tries.
func (t *Table) TooBusy() error {
	return fmt.Errorf("table %s (%s): an item changed %d times while it was written", t.Name, t.Region, MaxTries)
}
