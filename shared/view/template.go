package view

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The placeholders that aren't attributes of the item.
const (
	boxPlaceholder    = "box"    // in a view with a time box
	bucketPlaceholder = "bucket" // in a view with buckets of numbers
	shardPlaceholder  = "shard"  // in a shard's text
)

// template is text with attributes of an item in it: PET#{petId}.
type template struct {
	texts []string // one more than names
	names []string
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
		t.names, text = append(t.names, name), after
	}
	if len(t.names) == 0 && t.texts[0] == "" {
		return t, errors.New("it is empty, which no key may be")
	}
	return t, nil
}

// render puts the values in the place of the names.
func (t template) render(value func(name string) (string, error)) (string, error) {
	if t.alone() {
		return value(t.names[0])
	}
	var out strings.Builder
	for i, name := range t.names {
		out.WriteString(t.texts[i])
		text, err := value(name)
		if err != nil {
			return "", err
		}
		out.WriteString(text)
	}
	out.WriteString(t.texts[len(t.names)])
	return out.String(), nil
}

func (t template) has(name string) bool { return slices.Contains(t.names, name) }

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
