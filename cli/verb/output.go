package verb

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"sluice/shared/printable"
)

// Stdout is where every verb prints. Nothing else writes to os.Stdout.
var Stdout = NewOutput(os.Stdout)

// Output is standard output. It replaces what would do something to the terminal, and remembers the first error:
// a verb may ignore the errors of its prints, since main asks for them in the end.
type Output struct {
	file  *os.File
	clean *printable.Writer

	mu     sync.Mutex
	failed error
}

// NewOutput makes the standard output of a file.
func NewOutput(file *os.File) *Output {
	o := &Output{file: file}
	o.clean = printable.NewWriter(o.Raw())
	return o
}

// Write implements io.Writer.
func (o *Output) Write(p []byte) (int, error) { return o.clean.Write(p) }

// Raw writes without replacing anything, for texts that move the cursor on purpose.
func (o *Output) Raw() io.Writer { return rawOutput{o} }

type rawOutput struct{ *Output }

func (o rawOutput) Write(p []byte) (int, error) {
	n, err := o.file.Write(p)
	if err != nil {
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.failed == nil {
			o.failed = fmt.Errorf("the output can't be written, so what was printed is not complete: %w", err)
		}
		return n, o.failed
	}
	return n, nil
}

// Join returns a verb's error together with what went wrong with its output.
func (o *Output) Join(err error) error {
	_ = o.clean.Flush() // remembered
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.failed == nil:
		return err
	case !errors.Is(err, o.failed):
		return errors.Join(err, o.failed)
	case strings.Count(err.Error(), o.failed.Error()) > 1: // of several prints
		return o.failed
	}
	return err
}

// Terminal reports whether the output is a terminal.
func (o *Output) Terminal() bool { return IsTerminal(o.file) }

// IsTerminal reports whether a file is a terminal.
func IsTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// Progress prints what a starting stack is doing.
func Progress(format string, args ...any) { Say("· "+format+"\n", args...) }

// Say prints as fmt.Printf does.
func Say(format string, args ...any) { fmt.Fprintf(Stdout, format, args...) }

// SayLine prints as fmt.Println does.
func SayLine(args ...any) { fmt.Fprintln(Stdout, args...) }

// PrintJSON prints what a verb found for programs.
func PrintJSON(v any) error {
	var text bytes.Buffer
	out := json.NewEncoder(&text)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false) // it's no web page
	if err := out.Encode(v); err != nil {
		return err
	}
	_, err := Stdout.Write(printable.JSON(text.Bytes()))
	return err
}
