package leaderboard

import "errors"

var (
	// ErrNotOnBoard is returned when a player has no total.
	ErrNotOnBoard = errors.New("not on the board: no score of this player has arrived")
	// ErrNotCounted is returned when the table of ranks counts nobody, though
	// there are players.
	ErrNotCounted = errors.New("no players are counted: either the changes of the board's table don't reach the stream, or its first ones are still under way")
)
