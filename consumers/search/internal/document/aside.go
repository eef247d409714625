package document

import (
	"encoding/json"
	"fmt"

	"sluice/shared/change"
	"sluice/shared/declaration"
)

// aside collects what [ItemField] keeps of an item. That field is JSON in a text, which OpenSearch never reads as
// fields.
type aside struct {
	// attributes are those that can't be fields, by their own names.
	attributes []byte
	// values are the items' own values of fields that are indexed in another form, by
	// the fields' names.
	values []byte
}

// Aside is a decoded [ItemField].
type Aside struct {
	Attributes map[string]json.RawMessage `json:"attributes"`
	Values     map[string]json.RawMessage `json:"values"`
}

// ReadAside decodes an [ItemField]. A document without the field has an empty one.
func ReadAside(field json.RawMessage) (Aside, error) {
	var a Aside
	if len(field) == 0 {
		return a, nil
	}
	var text string
	if err := json.Unmarshal(field, &text); err != nil {
		return a, fmt.Errorf("field %s: %w", ItemField, err)
	}
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		return a, fmt.Errorf("field %s: %w", ItemField, err)
	}
	return a, nil
}

// appendMember appends a member to an open object; dst is nil before the first member.
func appendMember(dst []byte, name string, v change.Value) []byte {
	if dst == nil {
		dst = append(dst, '{')
	} else {
		dst = append(dst, ',')
	}
	dst = append(change.AppendText(dst, name), ':')
	return v.AppendJSON(dst)
}

// appendTo appends the field to a document, if there is anything in it.
func (a *aside) appendTo(dst []byte) []byte {
	if a.attributes == nil && a.values == nil {
		return dst
	}
	text := []byte{'{'}
	for _, part := range []struct {
		name    string
		members []byte
	}{{"attributes", a.attributes}, {"values", a.values}} {
		if part.members == nil {
			continue
		}
		if len(text) > 1 {
			text = append(text, ',')
		}
		text = append(append(append(text, '"'), part.name...), `":`...)
		text = append(append(text, part.members...), '}')
	}
	dst = append(dst, `,"`+ItemField+`":`...)
	return change.AppendText(dst, string(append(text, '}')))
}

// Takes reports whether an attribute can be a field of the item's document.
func (r *Route) Takes(c *change.Change, a Attribute) bool {
	if of, ok := r.shape.movedTo[a.Field]; ok && !a.within && r.shape.renamed[a.Name] != a.Field && has(c, of) {
		return false // the renamed one has the field
	}
	if !r.mapping.takesName(a.Field, true, r.mapping.dynamic) {
		return false
	}
	of, dynamic := r.mapping.member(a.Field, r.mapping.dynamic)
	return of != nil || dynamic || !tooDeep(a.Value, maxArrays)
}

func has(c *change.Change, p declaration.Path) bool {
	v, err := p.Of(c.Keys, c.New)
	return err == nil && v.Type() != 0
}

// maxArrays is how deep OpenSearch lets arrays be nested in each other, also in fields that nobody mapped.
const maxArrays = 20

// tooDeep reports whether more than so many arrays are nested in each other.
func tooDeep(v change.Value, most int) bool {
	if v.Type() < change.L {
		return false
	}
	if most == 0 {
		return true
	}
	for member := range v.List() {
		if tooDeep(member, most-1) {
			return true
		}
	}
	return false
}

// AppendValue appends a field's value in the form that the index takes, and reports whether that differs from the item's
// own.
func (r *Route) AppendValue(dst []byte, field string, v change.Value) (_ []byte, altered bool) {
	m, dynamic := r.mapping.member(field, r.mapping.dynamic)
	return m.append(dst, v, dynamic)
}

// append appends a value of a field or object.
func (m *mapped) append(dst []byte, v change.Value, dynamic bool) (_ []byte, altered bool) {
	switch {
	case m != nil && m.isoDates:
		return m.appendDates(dst, v)
	case !m.parses(dynamic):
		return v.AppendJSON(dst), false
	}
	switch v.Type() {
	case change.M:
		return m.appendObject(dst, v, dynamic)
	case change.L:
		return appendList(dst, v, func(dst []byte, member change.Value) ([]byte, bool) { return m.append(dst, member, dynamic) })
	}
	return v.AppendJSON(dst), false
}

// appendObject appends the members that OpenSearch takes.
func (m *mapped) appendObject(dst []byte, v change.Value, dynamic bool) (_ []byte, altered bool) {
	dst = append(dst, '{')
	start := len(dst)
	for name, member := range v.Map() {
		if !m.takesName(name, false, dynamic) {
			altered = true
			continue
		}
		if len(dst) > start {
			dst = append(dst, ',')
		}
		dst = append(change.AppendText(dst, name), ':')
		of, parsed := m.member(name, dynamic)
		var other bool
		dst, other = of.append(dst, member, parsed)
		altered = altered || other
	}
	return append(dst, '}'), altered
}

func appendList(dst []byte, v change.Value, appendOne func([]byte, change.Value) ([]byte, bool)) (_ []byte, altered bool) {
	dst = append(dst, '[')
	start := len(dst)
	for member := range v.List() {
		if len(dst) > start {
			dst = append(dst, ',')
		}
		var other bool
		dst, other = appendOne(dst, member)
		altered = altered || other
	}
	return append(dst, ']'), altered
}
