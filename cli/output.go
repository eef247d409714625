package cli

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

// stdout is where every verb prints. Nothing else writes to os.Stdout.
var stdout = newOutput(os.Stdout)

// standardOutput is standard output. It replaces what would do something to the terminal, and remembers the first error:
// a verb may ignore the errors of its prints, since main asks for them in the end.
type standardOutput struct {
	file  *os.File
	clean *printable.Writer

	mu     sync.Mutex
	failed error
}

func newOutput(file *os.File) *standardOutput {
	o := &standardOutput{file: file}
	o.clean = printable.NewWriter(o.raw())
	return o
}

// Write implements io.Writer.
func (o *standardOutput) Write(p []byte) (int, error) { return o.clean.Write(p) }

// raw writes without replacing anything, for texts that move the cursor on purpose.
func (o *standardOutput) raw() io.Writer { return rawOutput{o} }

type rawOutput struct{ *standardOutput }

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

// join returns a verb's error together with what went wrong with its output.
func (o *standardOutput) join(err error) error {
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

// terminal reports whether the output is a terminal.
func (o *standardOutput) terminal() bool { return isTerminal(o.file) }

// say prints as fmt.Printf does.
func say(format string, args ...any) { fmt.Fprintf(stdout, format, args...) }

// sayLine prints as fmt.Println does.
func sayLine(args ...any) { fmt.Fprintln(stdout, args...) }

// printJSON prints what a verb found for programs.
func printJSON(v any) error {
	var text bytes.Buffer
	out := json.NewEncoder(&text)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false) // it's no web page
	if err := out.Encode(v); err != nil {
		return err
	}
	_, err := stdout.Write(printable.JSON(text.Bytes()))
	return err
}
