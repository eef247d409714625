package template

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

type position struct{ line, column int }

type kind int

const (
	null kind = iota
	scalar
	list
	object
	intrinsic
	removed // by AWS::NoValue, only while references are resolved
)

func (k kind) String() string {
	return [...]string{"nothing", "a value", "a list", "an object", "an intrinsic function", "AWS::NoValue"}[k]
}

// node is a value of a template with the place where it stands.
type node struct {
	kind  kind
	at    position
	text  string // of a scalar; of an intrinsic its long name, Fn::Sub for instance
	bare  bool   // of a scalar: a number or a truth value
	items []node // of a list; of an intrinsic its one argument
	pairs []pair // of an object, in order
}

type pair struct {
	key   string
	at    position
	value node
}

// get returns the value of a key, or a node of kind null at the place of the object.
func (n node) get(key string) node {
	for _, p := range n.pairs {
		if p.key == key {
			return p.value
		}
	}
	return node{at: n.at}
}

// parse makes a template's text into a node. Duplicate keys are faults.
func parse(path string, text []byte) (node, error) {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return node{}, syntaxError(path, err)
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		return node{}, &Error{Path: path, Line: 1, Column: 1, Message: fmt.Sprintf("has %d YAML documents, want one that is not empty", len(file.Docs))}
	}
	found := &faults{path: path}
	root := convert(file.Docs[0].Body, found)
	return root, found.err()
}

func positionOf(n ast.Node) position {
	at := n.GetToken().Position
	return position{at.Line, at.Column}
}

func convert(from ast.Node, found *faults) node {
	n := node{at: positionOf(from)}
	switch from := from.(type) {
	case *ast.NullNode:
	case *ast.StringNode:
		n.kind, n.text = scalar, from.Value
	case *ast.LiteralNode:
		n.kind, n.text = scalar, from.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		// As written: a number keeps all of its digits.
		n.kind, n.text, n.bare = scalar, from.GetToken().Value, true
	case *ast.SequenceNode:
		n.kind = list
		for _, item := range from.Values {
			n.items = append(n.items, convert(item, found))
		}
	case *ast.MappingNode:
		n = convertObject(n.at, from.Values, found)
	case *ast.MappingValueNode: // an object with one key
		n = convertObject(n.at, []*ast.MappingValueNode{from}, found)
	case *ast.TagNode:
		name := strings.TrimPrefix(from.Start.Value, "!")
		if name != "Ref" {
			name = "Fn::" + name
		}
		n.kind, n.text, n.items = intrinsic, name, []node{convert(from.Value, found)}
	default:
		found.add(n.at, "YAML's %s is not understood here", strings.ToLower(from.Type().YAMLName()))
	}
	return n
}

func convertObject(at position, values []*ast.MappingValueNode, found *faults) node {
	n := node{kind: object, at: at}
	for _, value := range values {
		n.pairs = append(n.pairs, pair{key: value.Key.GetToken().Value, at: positionOf(value.Key), value: convert(value.Value, found)})
	}
	if len(n.pairs) > 0 {
		n.at = n.pairs[0].at
	}
	if len(n.pairs) == 1 && (n.pairs[0].key == "Ref" || strings.HasPrefix(n.pairs[0].key, "Fn::")) {
		return node{kind: intrinsic, at: n.at, text: n.pairs[0].key, items: []node{n.pairs[0].value}}
	}
	return n
}
