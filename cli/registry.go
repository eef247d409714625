package cli

import (
	"fmt"
	"strings"

	"sluice/shared/operate"
)

// registry has the consumers that verbs know, in the order in which verbs name them.
type registry []operate.Consumer

// offered returns the consumer of that name, which must offer the interface; without says what it lacks if it doesn't.
func offered[I operate.Consumer](r registry, name, without string) (I, error) {
	var none I
	var names []string
	for _, c := range r {
		offers, is := c.(I)
		switch {
		case is && c.Name() == name:
			return offers, nil
		case c.Name() == name:
			return none, fmt.Errorf("consumer %s %s", name, without)
		case is:
			names = append(names, c.Name())
		}
	}
	return none, fmt.Errorf("there is no consumer %q; there are %s", name, strings.Join(names, ", "))
}
