package boards

import (
	"errors"
	"fmt"
)

var (
	// ErrNotOnBoard is returned when a player has no total.
	ErrNotOnBoard = errors.New("not on the board: no score of this player has arrived")
	// ErrNotCounted is returned when the table of ranks counts nobody, though
	// there are players.
	ErrNotCounted = errors.New("no players are counted: either the changes of the board's table don't reach the stream, or its first ones are still under way")
)

// ItemError is returned for an item that can't be read as what it should be. Other items can be.
type ItemError struct {
	Table string
	Item  string // its key
	Err   error
}

func (e *ItemError) Error() string {
	return fmt.Sprintf("%s of %s can't be read: %v", e.Item, e.Table, e.Err)
}

// Unwrap returns what is wrong with the item.
func (e *ItemError) Unwrap() error { return e.Err }
