package template

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The intrinsic functions that only make sense as a condition, or within one:
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-conditions.html
const (
	equals = "Fn::Equals"
	not    = "Fn::Not"
	and    = "Fn::And"
	or     = "Fn::Or"
)

func (r *resolver) holds(n node) bool {
	if n.kind != intrinsic || !slices.Contains([]string{equals, not, and, or}, n.text) {
		r.add(n.at, "a condition must be %s, %s, %s or %s", equals, not, and, or)
		return false
	}
	if n.text == and || n.text == or {
		return r.join(n)
	}
	if n.text == not {
		of, ok := r.arguments(n, 1, "a list of one condition")
		return ok && !r.holds(of[0])
	}
	values, ok := r.arguments(n, 2, "a list of two values")
	if !ok {
		return false
	}
	a, b := r.resolve(values[0]), r.resolve(values[1])
	if a.kind != scalar || b.kind != scalar {
		r.add(n.at, "%s compares values, not %v and %v", equals, a.kind, b.kind)
	}
	return a.text == b.text
}

// join returns what Fn::And or Fn::Or of two to ten conditions is.
func (r *resolver) join(n node) bool {
	all := n.items[0]
	if all.kind != list || len(all.items) < 2 || len(all.items) > 10 {
		r.add(n.at, "%s must have a list of two to ten conditions", n.text)
		return false
	}
	result := n.text == and
	for _, one := range all.items {
		if holds := r.holds(one); n.text == and {
			result = result && holds
		} else {
			result = result || holds
		}
	}
	return result
}

// arguments returns the arguments of an intrinsic function that takes so many, described for people by what.
func (r *resolver) arguments(n node, count int, what string) ([]node, bool) {
	if argument := n.items[0]; argument.kind == list && len(argument.items) == count {
		return argument.items, true
	}
	r.add(n.at, "%s must have %s", n.text, what)
	return nil, false
}

func (r *resolver) condition(name node) bool {
	holds, known := r.conditions[name.text]
	if name.kind != scalar || !known {
		r.add(name.at, "refers to %s, which is no condition of this template", nameOf(name))
	}
	return holds
}

func nameOf(n node) string {
	if n.kind == scalar {
		return n.text
	}
	return fmt.Sprint(n.kind)
}

// choose returns one of the two values of Fn::If. The other is looked through for faults all the same.
func (r *resolver) choose(n node) node {
	arguments, ok := r.arguments(n, 3, "a condition and two values")
	if !ok {
		return node{at: n.at}
	}
	holds := r.condition(arguments[0])
	yes, no := r.resolve(arguments[1]), r.resolve(arguments[2])
	if holds {
		return yes
	}
	return no
}

func (r *resolver) split(n node) node {
	arguments, ok := r.arguments(n, 2, "a delimiter and a text")
	if !ok {
		return node{kind: list, at: n.at}
	}
	text := r.resolve(arguments[1])
	if arguments[0].kind != scalar || arguments[0].text == "" || text.kind != scalar {
		r.add(n.at, "%s must have a delimiter and a text", n.text)
	}
	return textsOf(n.at, text.text, arguments[0].text)
}

// textsOf returns the list of the texts between delimiters.
func textsOf(at position, text, delimiter string) node {
	parts := node{kind: list, at: at}
	for part := range strings.SplitSeq(text, delimiter) {
		parts.items = append(parts.items, node{kind: scalar, at: at, text: part})
	}
	return parts
}

func (r *resolver) joinTexts(n node) string {
	arguments, ok := r.arguments(n, 2, "a delimiter and a list")
	if !ok {
		return ""
	}
	parts := r.resolve(arguments[1])
	if arguments[0].kind != scalar || parts.kind != list {
		r.add(n.at, "%s must have a delimiter and a list", n.text)
	}
	var texts []string
	for _, part := range parts.items {
		texts = append(texts, r.text(part, n.text))
	}
	return strings.Join(texts, arguments[0].text)
}

func (r *resolver) selectItem(n node) node {
	arguments, ok := r.arguments(n, 2, "an index and a list")
	if !ok {
		return node{at: n.at}
	}
	index, err := strconv.Atoi(r.resolve(arguments[0]).text)
	items := r.resolve(arguments[1]).items
	if err != nil || index < 0 || index >= len(items) {
		r.add(n.at, "%s must have the index of an item of the list, which has %d", n.text, len(items))
		return node{at: n.at}
	}
	return items[index]
}

func (r *resolver) findInMap(n node) node {
	arguments, ok := r.arguments(n, 3, "the name of a map and two keys")
	if !ok {
		return node{at: n.at}
	}
	found, path := r.mappings, "Mappings"
	for _, argument := range arguments {
		key := r.resolve(argument)
		path += "." + nameOf(key)
		if found = found.get(key.text); key.kind != scalar || found.kind == null {
			r.add(n.at, "there is no %s", path)
			return node{at: n.at}
		}
	}
	found.at = n.at
	return found
}
