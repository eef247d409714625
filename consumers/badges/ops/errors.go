package ops

import "fmt"

// UnknownPlayerError is returned for a player of whom nothing is known.
type UnknownPlayerError struct{ Player string }

func (e *UnknownPlayerError) Error() string {
	return fmt.Sprintf("nobody knows a player %q: there is neither a badge nor a play", e.Player)
}
