package verb

import (
	"fmt"
	"unicode/utf8"
)

// MaxName is the length in bytes of the longest name that a player can have: it is a key.
const MaxName = 2048

// PlayerName is a player's name on a command line.
type PlayerName string

// UnmarshalText takes a name that a player can have.
func (n *PlayerName) UnmarshalText(text []byte) error {
	*n = PlayerName(text)
	return CheckPlayerName(string(text))
}

// CheckPlayerName returns an error if no player can have the name.
func CheckPlayerName(name string) error {
	if name == "" || len(name) > MaxName || !utf8.ValidString(name) {
		return fmt.Errorf("a player's name has 1 to %d bytes of UTF-8", MaxName)
	}
	return nil
}
