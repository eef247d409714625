package function

import (
	"bytes"
	"io"
	"strings"
	"sync"
)

const (
	tailLines    = 20
	maxLineBytes = 64 << 10
)

// output passes what a process writes on line by line, and remembers the last lines.
type output struct {
	sink io.Writer

	mu      sync.Mutex
	partial []byte
	last    []string
}

// Write never fails: an error would end the reading of the function's output, and the function. The sink reports its own errors.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.partial = append(o.partial, p...)
	for {
		end := bytes.IndexByte(o.partial, '\n')
		if end < 0 {
			break
		}
		o.line(o.partial[:end+1])
		o.partial = o.partial[end+1:]
	}
	if len(o.partial) > maxLineBytes {
		o.line(append(o.partial, '\n'))
		o.partial = nil
	}
	return len(p), nil
}

func (o *output) flush() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.partial) > 0 {
		o.line(append(o.partial, '\n'))
		o.partial = nil
	}
}

func (o *output) line(line []byte) {
	_, _ = o.sink.Write(line)
	if bytes.HasPrefix(line, []byte(`{"_aws"`)) {
		return // metrics, which say nothing about why a function failed
	}
	if len(o.last) == tailLines {
		o.last = o.last[1:]
	}
	o.last = append(o.last, string(bytes.TrimSuffix(line, []byte("\n"))))
}

func (o *output) tail() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Join(o.last, "\n")
}
