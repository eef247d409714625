package awards

import "errors"

// ErrUnsettled is returned by Reconcile if the player's state changes faster than awards can follow. Repeat the change.
var ErrUnsettled = errors.New("the player's plays keep being corrected")
