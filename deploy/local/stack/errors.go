package stack

import (
	"errors"
	"fmt"
)

// ErrRunning is returned by [Start] and [Serve] if another process runs a stack in the run directory.
var ErrRunning = errors.New("another process runs a stack there")

// FailedError is returned by [Up] and [Load] for a stack that could not start or has failed since.
type FailedError struct {
	Message string // what the process that ran it reported, the end of a dead server's log included
	LogPath string // that process' own log; empty if it has none
}

func (e *FailedError) Error() string {
	if e.LogPath == "" {
		return "the local stack failed: " + e.Message
	}
	return fmt.Sprintf("the local stack failed: %s\nits log is %s", e.Message, e.LogPath)
}
