package view

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Error is one fault of a views file.
type Error struct {
	Path         string
	Line, Column int
	Message      string
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.Path, e.Line, e.Column, e.Message)
}

type position struct{ line, column int }

// node is a value of the file with the place where it stands.
type node struct {
	kind  kind
	at    position
	text  string // of a scalar
	items []node // of a list
	pairs []pair // of an object, in order
}

type pair struct {
	key   string
	at    position
	value node
}

type kind int

const (
	absent kind = iota
	scalar
	list
	object
)

func (k kind) String() string {
	return [...]string{"nothing", "a single value", "a list", "an object"}[k]
}

// reader reads typed values from nodes. What is wrong it adds to its faults and
// gives the zero value.
type reader struct {
	path      string
	variables map[string]string
	faults    []*Error
}

func (r *reader) fault(at position, format string, args ...any) {
	r.faults = append(r.faults, &Error{r.path, at.line, at.column, fmt.Sprintf(format, args...)})
}

// err returns the faults in the order of the file, or nil.
func (r *reader) err() error {
	slices.SortStableFunc(r.faults, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Message, b.Message))
	})
	errs := make([]error, len(r.faults))
	for i, fault := range r.faults {
		errs[i] = fault
	}
	return errors.Join(errs...)
}

// parse makes a file's text into a node; false if it is no YAML.
func (r *reader) parse(text []byte) (node, bool) {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		at, message := position{1, 1}, err.Error()
		if syntax, ok := errors.AsType[*yaml.SyntaxError](err); ok && syntax.Token != nil && syntax.Token.Position != nil {
			at, message = position{syntax.Token.Position.Line, syntax.Token.Position.Column}, syntax.Message
		}
		r.fault(at, "%s", message)
		return node{}, false
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		r.fault(position{1, 1}, "has %d YAML documents, want one that is not empty", len(file.Docs))
		return node{}, false
	}
	return r.convert(file.Docs[0].Body), true
}

func positionOf(n ast.Node) position {
	at := n.GetToken().Position
	return position{at.Line, at.Column}
}

func (r *reader) convert(from ast.Node) node {
	n := node{at: positionOf(from)}
	switch from := from.(type) {
	case *ast.NullNode:
	case *ast.StringNode:
		n.kind, n.text = scalar, r.expand(n.at, from.Value)
	case *ast.LiteralNode:
		n.kind, n.text = scalar, r.expand(n.at, from.Value.Value)
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		n.kind, n.text = scalar, from.GetToken().Value // as written
	case *ast.SequenceNode:
		n.kind = list
		for _, item := range from.Values {
			n.items = append(n.items, r.convert(item))
		}
	case *ast.MappingNode:
		n = r.convertObject(n.at, from.Values)
	case *ast.MappingValueNode: // an object with one key
		n = r.convertObject(n.at, []*ast.MappingValueNode{from})
	default:
		r.fault(n.at, "YAML's %s is not understood here", strings.ToLower(from.Type().YAMLName()))
	}
	return n
}

func (r *reader) convertObject(at position, values []*ast.MappingValueNode) node {
	n := node{kind: object, at: at}
	for _, value := range values {
		n.pairs = append(n.pairs, pair{key: value.Key.GetToken().Value, at: positionOf(value.Key), value: r.convert(value.Value)})
	}
	if len(n.pairs) > 0 {
		n.at = n.pairs[0].at
	}
	return n
}

var setting = regexp.MustCompile(`\$\{([^}]*)\}`)

// expand puts the consumer's settings in the place of ${NAME}.
func (r *reader) expand(at position, text string) string {
	return setting.ReplaceAllStringFunc(text, func(reference string) string {
		name := reference[2 : len(reference)-1]
		value, ok := r.variables[name]
		if !ok {
			r.fault(at, "%s is no setting; there are: %s", reference, names(r.variables))
		}
		return value
	})
}

// names lists a map's keys for people.
func names[T any](m map[string]T) string {
	return strings.Join(slices.Sorted(maps.Keys(m)), ", ")
}

// fields reads an object whose keys must be among those named. A key that isn't
// there is a node of kind absent at the object's place.
func (r *reader) fields(n node, what string, known ...string) map[string]node {
	found := map[string]node{}
	for _, key := range known {
		found[key] = node{at: n.at}
	}
	for _, p := range r.pairs(n, what) {
		if !slices.Contains(known, p.key) {
			r.fault(p.at, "%s: unknown key %q; there are: %s", what, p.key, strings.Join(known, ", "))
			continue
		}
		found[p.key] = p.value
	}
	return found
}

func (r *reader) pairs(n node, what string) []pair {
	if n.kind != object && n.kind != absent {
		r.fault(n.at, "%s must be an object, not %v", what, n.kind)
	}
	return n.pairs
}

// text reads a value that must be there.
func (r *reader) text(n node, what string) string {
	switch {
	case n.kind == absent || n.kind == scalar && n.text == "":
		r.fault(n.at, "%s is missing", what)
	case n.kind != scalar:
		r.fault(n.at, "%s must be a single value, not %v", what, n.kind)
	}
	return n.text
}

// boolean reads true or false, or the default if there is nothing.
func (r *reader) boolean(n node, what string, otherwise bool) bool {
	if n.kind == absent {
		return otherwise
	}
	text := r.text(n, what)
	if text != "" && text != "true" && text != "false" {
		r.fault(n.at, "%s must be true or false, not %q", what, text)
	}
	return text == "true"
}
