package servers

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// ErrNotInstalled is returned by [Server.Start] for a server that [Install] has not installed.
var ErrNotInstalled = errors.New("not installed")

// MissingToolsError names every tool that is missing, and how to get it.
type MissingToolsError struct {
	Missing []MissingTool
}

func (e *MissingToolsError) Error() string {
	var b strings.Builder
	b.WriteString("needed on this machine, but missing:")
	for _, m := range e.Missing {
		fmt.Fprintf(&b, "\n  %s, for %s (%s)\n      %s", m.Name, m.For, m.Found, m.Get)
	}
	return b.String()
}

// InstallError is an installer that failed.
type InstallError struct {
	Command string
	Output  string // the end of what it printed
	Err     error
}

func (e *InstallError) Error() string {
	return fmt.Sprintf("%s: %v; it said last:\n%s\nthe next try goes on with what is downloaded", e.Command, e.Err, indent(e.Output))
}

func (e *InstallError) Unwrap() error { return e.Err }

// DiedError is a server that ended without having been stopped.
type DiedError struct {
	Name    string
	PID     int
	State   string // "exit status 1", "signal: killed"
	LogPath string
	Tail    string // the log's last lines
}

func (e *DiedError) Error() string {
	tail := e.Tail
	if tail == "" {
		tail = "(nothing)"
	}
	return fmt.Sprintf("%s (pid %d) died: %s; the end of its log %s:\n%s", e.Name, e.PID, e.State, e.LogPath, indent(tail))
}

// What an error quotes from a log at the most.
const tailLines, tailBytes = 15, 8 << 10

// Tail returns the last lines of a log, as errors quote them.
func Tail(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	b := make([]byte, min(info.Size(), tailBytes))
	if _, err := f.ReadAt(b, info.Size()-int64(len(b))); err != nil && err != io.EOF {
		return "", err
	}
	return lastLines(b), nil
}

func lastLines(b []byte) string {
	lines := bytes.Split(bytes.TrimSpace(b), []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-tailLines):], []byte("\n")))
}

func indent(s string) string { return "    " + strings.ReplaceAll(s, "\n", "\n    ") }
