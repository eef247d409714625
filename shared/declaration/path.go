package declaration

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/shared/change"
)

// Path names an attribute of an item, or a value within one. A dot leads into a map: address.city is member city of
// attribute address. A [] behind a name leads to each member of that list: lines[].qty. A dot or bracket that belongs
// to a name has a backslash before it: address\.city is the attribute of that very name.
//
// What a path means depends on its text alone, never on the item. The zero Path names nothing.
type Path struct {
	text  string // in its one form
	steps []step
}

type step struct {
	name string
	each bool // the value is a list, and the path goes on with each of its members
}

// escaped are the characters that a backslash takes their meaning from. Before any other, it is a character of the name.
const escaped = `.[\`

// ParsePath reads a path. The error says what is wrong with the text and what to write instead.
func ParsePath(text string) (Path, error) {
	var p Path
	for rest := text; ; {
		name, after := cutName(rest)
		if name == "" {
			return Path{}, fmt.Errorf("%q has a step without a name; write \\. for a dot that belongs to a name", text)
		}
		s := step{name: name}
		if strings.HasPrefix(after, "[") {
			if after, s.each = strings.CutPrefix(after, "[]"); !s.each {
				return Path{}, fmt.Errorf("%q: no member of a list can be named by its place; [] is each member, for a view's sum or count. A bracket that belongs to a name is written \\[", text)
			}
			if after != "" && after[0] != '.' {
				return Path{}, fmt.Errorf("%q: after [] comes a dot or nothing; lists in lists can't be named", text)
			}
		}
		p.steps = append(p.steps, s)
		if after == "" {
			break
		}
		rest = after[1:] // behind the dot
	}
	p.text = p.upTo(len(p.steps))
	return p, nil
}

// cutName takes a step's name from the start of a text, without backslashes, up to a dot, a bracket or the end.
func cutName(text string) (name, after string) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '.' || c == '[':
			return b.String(), text[i:]
		case c == '\\' && i+1 < len(text) && strings.IndexByte(escaped, text[i+1]) >= 0:
			i++
		}
		b.WriteByte(text[i])
	}
	return b.String(), ""
}

// Whole returns the path to the whole attribute that has this very name.
func Whole(name string) Path {
	if name == "" {
		return Path{}
	}
	return Path{escape(name), []step{{name: name}}}
}

// escape writes a name as a step of a path.
func escape(name string) string {
	var b strings.Builder
	for i := range len(name) {
		// A backslash is doubled only where it could be taken for an escape, so that other names stay as they are.
		if c := name[i]; c == '.' || c == '[' || c == '\\' && (i+1 == len(name) || strings.IndexByte(escaped, name[i+1]) >= 0) {
			b.WriteByte('\\')
		}
		b.WriteByte(name[i])
	}
	return b.String()
}

// upTo returns the text of the first n steps.
func (p Path) upTo(n int) string {
	var b strings.Builder
	for i, s := range p.steps[:n] {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(escape(s.name))
		if s.each {
			b.WriteString("[]")
		}
	}
	return b.String()
}

// String returns the path's one form, of which two paths that lead to the same value have the same.
func (p Path) String() string { return p.text }

// MarshalText returns the path's one form, also for JSON.
func (p Path) MarshalText() ([]byte, error) { return []byte(p.text), nil }

// IsZero reports whether the path names nothing.
func (p Path) IsZero() bool { return len(p.steps) == 0 }

// Name returns the name of the attribute in which the path begins, and whether the path names that whole attribute.
func (p Path) Name() (name string, whole bool) {
	if p.IsZero() {
		return "", false
	}
	return p.steps[0].name, len(p.steps) == 1 && !p.steps[0].each
}

// Names yields the names on the way, the attribute's first.
func (p Path) Names() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, s := range p.steps {
			if !yield(s.name) {
				return
			}
		}
	}
}

// Leads reports whether the other path is the same, or goes on from where this one ends.
func (p Path) Leads(other Path) bool {
	return len(p.steps) <= len(other.steps) && slices.Equal(p.steps, other.steps[:len(p.steps)])
}

// Lists reports whether the path leads to each member of a list, so that it names any number of values.
func (p Path) Lists() bool {
	for _, s := range p.steps {
		if s.each {
			return true
		}
	}
	return false
}

// EndsInList reports whether the path's last step is each member of a list.
func (p Path) EndsInList() bool { return !p.IsZero() && p.steps[len(p.steps)-1].each }

// Of returns the value that a path without [] leads to in an image, whose keys stand apart. It is the zero Value if the
// attribute or a member on the way is absent, or NULL on the way. The error, a [*change.AttributeError], is about a
// value on the way that is no map.
func (p Path) Of(keys, image change.Image) (change.Value, error) {
	v := p.attribute(keys, image)
	for i := 1; i < len(p.steps); i++ {
		var err error
		if v, err = p.member(v, i); err != nil {
			return v, err
		}
	}
	return v, nil
}

// attribute returns the value of the attribute in which the path begins.
func (p Path) attribute(keys, image change.Image) change.Value {
	v, ok := keys.Get(p.steps[0].name)
	if !ok {
		v, _ = image.Get(p.steps[0].name)
	}
	return v
}

// member returns the member of v that the ith step names.
func (p Path) member(v change.Value, i int) (change.Value, error) {
	switch t := v.Type(); t {
	case change.M:
		v, _ = v.Member(p.steps[i].name)
		return v, nil
	case 0, change.NULL:
		return change.Value{}, nil
	default:
		return change.Value{}, &change.AttributeError{Name: p.upTo(i), Want: change.M, Got: t}
	}
}

// TypeError returns the error of a value to which the path has led, and which isn't of the type that is wanted. It
// wraps an [*change.AttributeError]. If an attribute's own name is what the path looks like, the error says so.
func (p Path) TypeError(keys, image change.Image, want, got change.Type) error {
	err := &change.AttributeError{Name: p.text, Want: want, Got: got}
	if named := Whole(p.text); got == 0 && len(p.steps) > 1 && named.attribute(keys, image).Type() != 0 {
		return fmt.Errorf("%w; the item has an attribute whose own name that is, which a declaration writes %s", err, named)
	}
	return err
}

// Each calls use with each value that the path leads to: once for a path without [], as [Path.Of] has it; otherwise
// once for each member of the lists, in their order. A value before [] that is no list is an error, absent or not, and
// an empty list is none. The first error, of use too, is returned, and names the member of the list.
func (p Path) Each(keys, image change.Image, use func(change.Value) error) error {
	return p.each(p.attribute(keys, image), 0, use)
}

// each goes on from v, the value of the ith step.
func (p Path) each(v change.Value, i int, use func(change.Value) error) error {
	next := func(v change.Value) error {
		if i+1 == len(p.steps) {
			return use(v)
		}
		v, err := p.member(v, i+1)
		if err != nil {
			return err
		}
		return p.each(v, i+1, use)
	}
	if !p.steps[i].each {
		return next(v)
	}
	list := strings.TrimSuffix(p.upTo(i+1), "[]")
	if v.Type() != change.L {
		return &change.AttributeError{Name: list, Want: change.L, Got: v.Type()}
	}
	n := 0
	for member := range v.List() {
		n++
		if err := next(member); err != nil {
			return fmt.Errorf("member %d of the list %s: %w", n, list, err)
		}
	}
	return nil
}

// OfItem is [Path.Of] for an item of the SDK's values; nil where Of returns the zero Value or an error.
func (p Path) OfItem(item map[string]types.AttributeValue) types.AttributeValue {
	v := item[p.steps[0].name]
	for _, s := range p.steps[1:] {
		m, ok := v.(*types.AttributeValueMemberM)
		if !ok {
			return nil
		}
		v = m.Value[s.name]
	}
	return v
}

// PutNew puts a value where the path leads to in an item of the SDK's values, unless something is there already. It makes the maps and
// lists on the way; a list gets one member. A value on the way that is no map or list is left as it is.
func (p Path) PutNew(item map[string]types.AttributeValue, v types.AttributeValue) {
	for i, s := range p.steps {
		last := i+1 == len(p.steps)
		held, there := item[s.name]
		if s.each {
			list, isList := held.(*types.AttributeValueMemberL)
			if there && !isList {
				return
			}
			if !isList {
				list = &types.AttributeValueMemberL{}
				item[s.name] = list
			}
			if last {
				if len(list.Value) == 0 {
					list.Value = append(list.Value, v)
				}
				return
			}
			if len(list.Value) == 0 {
				list.Value = append(list.Value, &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{}})
			}
			held = list.Value[0]
		} else if last {
			if !there {
				item[s.name] = v
			}
			return
		} else if !there {
			held = &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{}}
			item[s.name] = held
		}
		inner, isMap := held.(*types.AttributeValueMemberM)
		if !isMap {
			return
		}
		item = inner.Value
	}
}
