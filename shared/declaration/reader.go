package declaration

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
	"github.com/goccy/go-yaml/token"
)

// Error is one fault of a file.
type Error struct {
	Path         string
	Line, Column int
	Message      string
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.Path, e.Line, e.Column, e.Message)
}

// Position is a place in the file; both count from 1.
type Position struct{ Line, Column int }

// Node is a value of the file with the place where it stands.
type Node struct {
	Kind  Kind
	At    Position
	Text  string // of a Scalar
	Plain bool   // of a Scalar: a number, true or false that is written without quotes
	Items []Node // of a List
	Pairs []Pair // of an Object, in order
}

// Pair is a key of an object with its value.
type Pair struct {
	Key   string
	At    Position // of the key
	Value Node
}

// Kind says what a node is.
type Kind int

// The kinds. A node that isn't there is Absent, as is null.
const (
	Absent Kind = iota
	Scalar
	List
	Object
)

func (k Kind) String() string {
	return [...]string{"nothing", "a single value", "a list", "an object"}[k]
}

// Reader reads typed values from nodes. What is wrong it adds to its faults and
// gives the zero value. A Reader is for one file.
type Reader struct {
	path      string
	variables map[string]string
	faults    []*Error
}

// NewReader returns a Reader for the file at path, which is only for the errors.
// In its texts, ${NAME} stands for a variable's value.
func NewReader(path string, variables map[string]string) *Reader {
	return &Reader{path: path, variables: variables}
}

// Faults tells whether anything was wrong so far.
func (r *Reader) Faults() bool { return len(r.faults) > 0 }

// Fault adds a fault.
func (r *Reader) Fault(at Position, format string, args ...any) {
	r.faults = append(r.faults, &Error{r.path, at.Line, at.Column, fmt.Sprintf(format, args...)})
}

// Err returns the faults in the order of the file, joined, or nil. Each is an
// [*Error].
func (r *Reader) Err() error {
	slices.SortStableFunc(r.faults, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Message, b.Message))
	})
	errs := make([]error, len(r.faults))
	for i, fault := range r.faults {
		errs[i] = fault
	}
	return errors.Join(errs...)
}

// Parse makes the file's text into a node; false if it is no YAML in UTF-8. A byte order mark is passed over.
func (r *Reader) Parse(text []byte) (Node, bool) {
	text, ok := r.decode(text)
	if !ok {
		return Node{}, false
	}
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		at, message := Position{1, 1}, err.Error()
		if syntax, ok := errors.AsType[*yaml.SyntaxError](err); ok && syntax.Token != nil && syntax.Token.Position != nil {
			at, message = Position{syntax.Token.Position.Line, syntax.Token.Position.Column}, syntax.Message
		}
		r.Fault(at, "%s", message)
		return Node{}, false
	}
	switch {
	case len(file.Docs) > 1:
		r.Fault(Position{1, 1}, "the file has %d YAML documents; keep one", len(file.Docs))
		return Node{}, false
	case len(file.Docs) == 0 || file.Docs[0].Body == nil:
		r.Fault(Position{1, 1}, "the file is empty")
		return Node{}, false
	}
	return r.convert(file.Docs[0].Body), true
}

func positionOf(n ast.Node) Position {
	at := n.GetToken().Position
	return Position{at.Line, at.Column}
}

func (r *Reader) convert(from ast.Node) Node {
	n := Node{At: positionOf(from)}
	switch from := from.(type) {
	case *ast.NullNode:
	case *ast.StringNode:
		n.Kind, n.Text = Scalar, r.expand(n.At, from.Value)
		n.Plain = isNumber(from)
	case *ast.LiteralNode:
		n.Kind, n.Text = Scalar, r.expand(n.At, from.Value.Value)
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		n.Kind, n.Text, n.Plain = Scalar, from.GetToken().Value, true // as written
	case *ast.SequenceNode:
		n.Kind = List
		for _, item := range from.Values {
			n.Items = append(n.Items, r.convert(item))
		}
	case *ast.MappingNode:
		n = r.convertObject(n.At, from.Values)
	case *ast.MappingValueNode: // an object with one key
		n = r.convertObject(n.At, []*ast.MappingValueNode{from})
	default:
		r.Fault(n.At, "YAML's %s is not understood here", strings.ToLower(from.Type().YAMLName()))
	}
	return n
}

var number = regexp.MustCompile(`^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$`)

// isNumber reports whether a text without quotes is a number that the parser takes for none: it
// is too long, or like 1E-130.
func isNumber(n *ast.StringNode) bool {
	return n.GetToken().Type == token.StringType && number.MatchString(n.Value)
}

func (r *Reader) convertObject(at Position, values []*ast.MappingValueNode) Node {
	n := Node{Kind: Object, At: at}
	for _, value := range values {
		n.Pairs = append(n.Pairs, Pair{Key: value.Key.GetToken().Value, At: positionOf(value.Key), Value: r.convert(value.Value)})
	}
	if len(n.Pairs) > 0 {
		n.At = n.Pairs[0].At
	}
	return n
}

var (
	setting   = regexp.MustCompile(`\$\{([^}]*)\}`)
	unsettled = regexp.MustCompile(`\$\{[^}]*$`)
)

// expand puts the consumer's settings in the place of ${NAME}.
func (r *Reader) expand(at Position, text string) string {
	if begun := unsettled.FindString(text); begun != "" {
		r.Fault(at, "%s has no } after it; a setting is written ${NAME}", begun)
	}
	return setting.ReplaceAllStringFunc(text, func(reference string) string {
		name := reference[2 : len(reference)-1]
		value, ok := r.variables[name]
		if !ok {
			r.Fault(at, "%s has no value; settings with a value: %s. A setting is declared in pipeline/%s, and each template passes it on",
				reference, strings.Join(slices.Sorted(maps.Keys(r.variables)), ", "), SettingsFile)
		}
		return value
	})
}

// Fields reads an object whose keys must be among those named. A key that isn't
// there is a node of kind Absent at the object's place.
func (r *Reader) Fields(n Node, what string, known ...string) map[string]Node {
	found := map[string]Node{}
	for _, key := range known {
		found[key] = Node{At: n.At}
	}
	for _, p := range r.Pairs(n, what) {
		if !slices.Contains(known, p.Key) {
			r.Fault(p.At, "%s: unknown key %q; there are: %s", what, p.Key, strings.Join(known, ", "))
			continue
		}
		found[p.Key] = p.Value
	}
	return found
}

// Pairs reads an object with any keys.
func (r *Reader) Pairs(n Node, what string) []Pair {
	if n.Kind != Object && n.Kind != Absent {
		r.Fault(n.At, "%s must be an object, not %v", what, n.Kind)
	}
	return n.Pairs
}

// Text reads a value that must be there.
func (r *Reader) Text(n Node, what string) string {
	switch {
	case n.Kind == Absent:
		r.Fault(n.At, "%s is missing", what)
	case n.Kind == Scalar && n.Text == "":
		r.Fault(n.At, "%s has no value", what)
	case n.Kind != Scalar:
		r.Fault(n.At, "%s must be a single value, not %v", what, n.Kind)
	}
	return n.Text
}

// Boolean reads true or false, or the default if there is nothing.
func (r *Reader) Boolean(n Node, what string, otherwise bool) bool {
	if n.Kind == Absent {
		return otherwise
	}
	text := r.Text(n, what)
	if text != "" && text != "true" && text != "false" {
		r.Fault(n.At, "%s must be true or false, not %q", what, text)
	}
	return text == "true"
}
