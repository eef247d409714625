package verb

import (
	"fmt"
	"unicode/utf8"
)

// MaxName is the length in bytes of the longest name that an item can have: it is a key.
const MaxName = 2048

// ItemName is an item's name on a command line.
type ItemName string

// UnmarshalText takes a name that an item can have.
func (n *ItemName) UnmarshalText(text []byte) error {
	*n = ItemName(text)
	return checkName("an item", string(text))
}

// PlayerName is a player's name on a command line.
type PlayerName string

// UnmarshalText takes a name that a player can have.
func (n *PlayerName) UnmarshalText(text []byte) error {
	*n = PlayerName(text)
	return CheckPlayerName(string(text))
}

// CheckPlayerName returns an error if no player can have the name.
func CheckPlayerName(name string) error { return checkName("a player", name) }

func checkName(whose, name string) error {
	if name == "" || len(name) > MaxName || !utf8.ValidString(name) {
		return fmt.Errorf("%s's name has 1 to %d bytes of UTF-8", whose, MaxName)
	}
	return nil
}
