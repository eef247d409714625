package boards

import (
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrNoBoard is returned if none of the declared views is a board.
	ErrNoBoard = errors.New("no declared view is a board: a board needs a shard, and a sum or count; consumers/leaderboard/README.md explains both")
	// ErrNotOnBoard is returned for a name without an item on the board.
	ErrNotOnBoard = errors.New("not on the board: no change that counts for it has arrived")
	// ErrNotCounted is returned when the views of the ranks count nothing, though
	// there are items.
	ErrNotCounted = errors.New("no items are counted: either the changes of the board's table don't reach the stream, or its first ones are still under way")
)

// IndexError is returned for a board whose table doesn't have exactly one index that orders the board.
type IndexError struct {
	View, Table string
	Shard       string   // the attribute that must be the index's partition key
	Numbers     []string // the attributes one of which must be its sort key
	Found       []string // the indexes that have these keys
}

func (e *IndexError) Error() string {
	keys := fmt.Sprintf("with partition key %s and sort key %s", e.Shard, strings.Join(e.Numbers, " or "))
	if len(e.Found) == 0 {
		return fmt.Sprintf("view %s has no order: table %s needs a global secondary index %s", e.View, e.Table, keys)
	}
	return fmt.Sprintf("view %s has more than one order: table %s may have only one global secondary index %s, and has %s", e.View, e.Table, keys, strings.Join(e.Found, ", "))
}

// ItemError is returned for an item that can't be read as what it should be. Other items can be.
type ItemError struct {
	Table string
	Item  string // which, for people
	Err   error
}

func (e *ItemError) Error() string {
	return fmt.Sprintf("%s of %s can't be read: %v", e.Item, e.Table, e.Err)
}

// Unwrap returns what is wrong with the item.
func (e *ItemError) Unwrap() error { return e.Err }
