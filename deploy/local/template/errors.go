package template

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// Error is one fault of a template.
type Error struct {
	Path         string
	Line, Column int
	Message      string
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.Path, e.Line, e.Column, e.Message)
}

type faults struct {
	path string
	errs []*Error
}

// add adds a fault, unless it is there: a resource's name is resolved twice.
func (f *faults) add(at position, format string, args ...any) {
	fault := Error{Path: f.path, Line: at.line, Column: at.column, Message: fmt.Sprintf(format, args...)}
	if !slices.ContainsFunc(f.errs, func(e *Error) bool { return *e == fault }) {
		f.errs = append(f.errs, &fault)
	}
}

// err returns the faults in the order of the file, or nil.
func (f *faults) err() error {
	slices.SortStableFunc(f.errs, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	errs := make([]error, len(f.errs))
	for i, fault := range f.errs {
		errs[i] = fault
	}
	return errors.Join(errs...)
}

// syntaxError gives a fault of the YAML the same form as ours.
func syntaxError(path string, err error) error {
	syntax, ok := errors.AsType[*yaml.SyntaxError](err)
	if !ok || syntax.Token == nil || syntax.Token.Position == nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	at := syntax.Token.Position
	return &Error{Path: path, Line: at.Line, Column: at.Column, Message: syntax.Message}
}

// oneOf lists names for people, in the order of the alphabet.
func oneOf(names []string) string {
	names = slices.Clone(names)
	slices.Sort(names)
	return strings.Join(names, ", ")
}
