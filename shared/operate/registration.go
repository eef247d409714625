package operate

import (
	"context"
	"io"
	"time"

	"sluice/shared/view"
)

// Linter is a Consumer whose declarations can be checked without servers: sluice lint.
type Linter interface {
	Consumer
	// Declares returns the kinds of files that the consumer declares something in.
	Declares() []Declares
	// Lint checks a file by the rules of the consumer's function, or those of the pipeline if file is nil. It
	// writes to out what the declaration says, and returns every fault at once.
	Lint(out io.Writer, file *File) error
}

// Declares is a kind of files.
type Declares struct {
	What string   // for people, such as "search routes"
	Keys []string // a file of this kind has one of them at its top
	Path string   // of the file in the folder pipeline; empty if none is there
	// Instead is the command that reads files of this kind, if Lint doesn't.
	Instead string
}

// File is a file that people check.
type File struct {
	Path string // - is standard input
	Name string // for people
	Text []byte
}

// Rebuilder is a Consumer with views that can be rebuilt from their sources: sluice rebuild VIEW.
type Rebuilder interface {
	Consumer
	// Views returns the views, as they are with the settings' defaults.
	Views() ([]*view.View, error)
	// Rebuild returns what a rebuild of one of the Views has to know.
	Rebuild(ctx context.Context, p Part, name string) (Rebuild, error)
}

// Rebuild is a view that can be rebuilt.
type Rebuild struct {
	View    *view.View
	Ledger  string        // the table
	Horizon time.Duration // of the consumer's function
	After   string        // what people should do afterwards; empty: nothing
}

// Offering returns those that offer an optional interface, such as the consumers that are Verifiers.
func Offering[I, C any](all []C) []I {
	var found []I
	for _, one := range all {
		if offers, is := any(one).(I); is {
			found = append(found, offers)
		}
	}
	return found
}

// Commander is a Consumer with verbs of its own.
type Commander interface {
	Consumer
	// Verbs returns a pointer to a struct whose fields are verbs, as kong takes them.
	Verbs() any
}
