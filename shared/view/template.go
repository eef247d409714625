package view

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"sluice/shared/declaration"
)

// The placeholders that aren't attributes of the item.
const (
	boxPlaceholder    = "box"    // in a view with a time box
	bucketPlaceholder = "bucket" // in a view with buckets of numbers
	shardPlaceholder  = "shard"  // in a shard's text
)

// template is text with values of an item in it: ORDER#{orderId}, {address.city}.
type template struct {
	texts []string // one more than names
	names []string // the paths' texts
	paths []declaration.Path
	// ends has the text that ends each name's value, where the value must not hold it: see separate. "": it may.
	ends []string
}

// keyTemplate is what makes a key attribute: a string, or a number.
type keyTemplate struct {
	template
	number bool
}

func parseTemplate(text string) (template, error) {
	var t template
	for {
		before, rest, found := strings.Cut(text, "{")
		if strings.Contains(before, "}") {
			return t, errors.New("a } has no { before it")
		}
		t.texts = append(t.texts, before)
		if !found {
			break
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return t, errors.New("a { has no } after it")
		}
		if name == "" || strings.Contains(name, "{") {
			return t, fmt.Errorf("{%s} names no attribute", name)
		}
		path, err := declaration.ParsePath(name)
		if err == nil && path.Lists() {
			err = fmt.Errorf("{%s} is each member of a list, and a key has one value", name)
		}
		if err != nil {
			return t, err
		}
		t.names, t.paths, text = append(t.names, path.String()), append(t.paths, path), after
	}
	if len(t.names) == 0 && t.texts[0] == "" {
		return t, errors.New("it is empty, which no key may be")
	}
	return t, nil
}

// render puts the values in the place of the names.
func (t template) render(value func(declaration.Path) (string, error)) (string, error) {
	if t.alone() {
		return value(t.paths[0])
	}
	var out strings.Builder
	for i, name := range t.names {
		out.WriteString(t.texts[i])
		text, err := value(t.paths[i])
		if err != nil {
			return "", err
		}
		if i < len(t.ends) && t.ends[i] != "" && strings.Index(text+t.ends[i], t.ends[i]) < len(text) {
			return "", fmt.Errorf("attribute %q is %.60q; a value that holds %q, or ends with a part of it, could be taken for another item of the view", name, text, t.ends[i])
		}
		out.WriteString(text)
	}
	out.WriteString(t.texts[len(t.names)])
	return out.String(), nil
}

// ofNumbers are the characters of a number's text.
const ofNumbers = "0123456789.eE+-"

// separate makes sure that different values give different texts. A value that another one follows must not hold the text
// between them, which render checks; the error names two values with no text between them. Values that known reports,
// since another attribute of the key has them, and boxes, whose labels have one length, separate nothing.
func (t *template) separate(known func(name string) bool) error {
	var free []int
	for i, name := range t.names {
		if name != boxPlaceholder && !known(name) {
			free = append(free, i)
		}
	}
	// A number at the end begins after the last character that is in no number.
	for n := len(free) - 1; n >= 0; n-- {
		i := free[n]
		if name := t.names[i]; name != bucketPlaceholder && name != shardPlaceholder || t.texts[i] == "" || strings.ContainsAny(t.texts[i][len(t.texts[i])-1:], ofNumbers) {
			break
		}
		free = free[:n]
	}
	t.ends = make([]string, len(t.names))
	for n := 0; n+1 < len(free); n++ {
		i := free[n]
		if t.names[i] == t.names[free[n+1]] && n+2 == len(free) {
			continue // one value twice: the text's length tells it
		}
		if t.ends[i] = t.texts[i+1]; t.ends[i] == "" {
			return fmt.Errorf("{%s} and {%s} run together: ab and c would be the same as a and bc; put a text between them that no value holds, like #", t.names[i], t.names[i+1])
		}
	}
	return nil
}

func (t template) has(name string) bool { return slices.Contains(t.names, name) }

// only reports whether a name's value is all that a text of the template tells, besides the box.
func (t template) only(name string) bool {
	return t.has(name) && !slices.ContainsFunc(t.names, func(other string) bool { return other != name && other != boxPlaceholder })
}

func (t template) constant() bool { return len(t.names) == 0 }

// alone tells whether the template is one placeholder and nothing else.
func (t template) alone() bool { return len(t.names) == 1 && t.texts[0] == "" && t.texts[1] == "" }

func (t template) prefix() string { return t.texts[0] }
func (t template) suffix() string { return t.texts[len(t.texts)-1] }

// couldBe tells whether the template can make the text. It says yes when in doubt.
func (t template) couldBe(text string) bool {
	if t.constant() {
		return t.texts[0] == text
	}
	return len(text) >= len(t.prefix())+len(t.suffix()) && strings.HasPrefix(text, t.prefix()) && strings.HasSuffix(text, t.suffix())
}

// couldBegin tells whether the template can make a text that begins with prefix.
func (t template) couldBegin(prefix string) bool {
	if t.constant() {
		return strings.HasPrefix(t.texts[0], prefix)
	}
	return strings.HasPrefix(t.prefix(), prefix) || strings.HasPrefix(prefix, t.prefix())
}

// couldMeet tells whether both templates can make the same text. It says yes
// when in doubt.
func (t template) couldMeet(o template) bool {
	switch {
	case t.constant():
		return o.couldBe(t.texts[0])
	case o.constant():
		return t.couldBe(o.texts[0])
	}
	return (strings.HasPrefix(t.prefix(), o.prefix()) || strings.HasPrefix(o.prefix(), t.prefix())) &&
		(strings.HasSuffix(t.suffix(), o.suffix()) || strings.HasSuffix(o.suffix(), t.suffix()))
}
