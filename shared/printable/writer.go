package printable

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"unicode/utf8"
)

// Writer passes text on without what would do something to a terminal. It keeps line breaks; a tab becomes a space. It is
// the last defence: a caller who prints a name has to use [Text], [Name] or a [Table], or a line break in the name splits the line.
// Writer is safe for concurrent use.
type Writer struct {
	mu   sync.Mutex
	to   io.Writer
	f    filter
	rest []byte // the beginning of a character that the next Write may finish
}

// NewWriter returns a Writer that writes to another.
func NewWriter(to io.Writer) *Writer { return &Writer{to: to, f: filter{lines: true}} }

// Write implements io.Writer.
func (w *Writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := append(w.rest, p...)
	whole := len(text)
	for back := 1; back < utf8.UTFMax && back <= len(text); back++ {
		if at := len(text) - back; utf8.RuneStart(text[at]) {
			if !utf8.FullRune(text[at:]) {
				whole = at
			}
			break
		}
	}
	w.rest = bytes.Clone(text[whole:])
	shown := w.f.append(nil, string(bytes.ReplaceAll(text[:whole], []byte("\t"), []byte(" "))))
	if _, err := w.to.Write(shown); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush writes what is left of a character that nobody has finished.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.rest) == 0 {
		return nil
	}
	_, err := w.to.Write(w.f.append(nil, string(w.rest)))
	w.rest = nil
	return err
}

// JSON returns a JSON text in which each character that Text would replace is escaped. Its values stay the same.
func JSON(text []byte) []byte {
	shown := make([]byte, 0, len(text))
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		switch {
		case r == '\n' || Visible(r):
			shown = append(shown, text[i:i+size]...)
		case r <= 0xFFFF:
			shown = fmt.Appendf(shown, `\u%04x`, r)
		default:
			r -= 0x10000
			shown = fmt.Appendf(shown, `\u%04x\u%04x`, 0xD800+r>>10, 0xDC00+r&0x3FF)
		}
		i += size
	}
	return shown
}
