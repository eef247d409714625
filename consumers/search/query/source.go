package query

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"sluice/consumers/search/internal/document"
)

// hit makes what people get of a document. Its parts stay as they are written: parsed and
// written again, numbers might lose digits.
func (r *Request) hit(f fields, h found) (Hit, error) {
	hit := Hit{ID: h.ID, Score: h.Score, Highlights: h.Highlight}
	var own own
	var item document.Aside
	var members []Member
	err := EachMember(h.Source, func(m Member) error {
		var err error
		switch m.Name {
		case document.Field:
			err = json.Unmarshal(m.Value, &own)
		case document.ItemField:
			item, err = document.ReadAside(m.Value)
		default:
			members = append(members, m)
		}
		return err
	})
	if err == nil && own.Time.IsZero() {
		err = errors.New("it has no " + document.Field + ", so Sluice hasn't written it")
	}
	if err != nil {
		return hit, fmt.Errorf("document %s of index %s: %w", h.ID, r.Index, err)
	}
	hit.Time, hit.Indexed = own.Time, own.Indexed
	source := json.RawMessage{'{'}
	for _, m := range members {
		if value, ok := item.Values[m.Name]; ok {
			m.Value = value
		}
		if !r.Whole {
			var mapped bool
			if m.Value, mapped = f.mapped(m.Name, m.Value); !mapped {
				continue
			}
		}
		source = m.appendTo(source)
	}
	hit.Source = append(source, '}')
	if r.Whole {
		hit.Attributes = item.Attributes
	}
	return hit, nil
}

// Member is a member of an object.
type Member struct {
	Name  string
	Value json.RawMessage
	key   []byte // the name as it is written
}

// appendTo appends the member to an object that isn't closed.
func (m Member) appendTo(object json.RawMessage) json.RawMessage {
	if len(object) > 1 {
		object = append(object, ',')
	}
	return append(append(append(object, m.key...), ':'), m.Value...)
}

// EachMember hands the members of an object to visit, in their order.
func EachMember(object json.RawMessage, visit func(Member) error) error {
	decoder := json.NewDecoder(bytes.NewReader(object))
	if open, err := decoder.Token(); err != nil || open != json.Delim('{') {
		return errors.New("it is no object")
	}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return err
		}
		m := Member{Name: token.(string)} // as all names of members are
		if m.key, err = json.Marshal(m.Name); err != nil {
			return err
		}
		if err := decoder.Decode(&m.Value); err != nil {
			return err
		}
		if err := visit(m); err != nil {
			return err
		}
	}
	return nil
}

// mapped returns what of a member of a document the index maps, and whether it maps any.
func (f fields) mapped(path string, value json.RawMessage) (json.RawMessage, bool) {
	if _, ok := f[path]; ok {
		return value, true
	}
	below := path + "."
	for name := range f {
		if strings.HasPrefix(name, below) {
			return f.mappedMembers(below, value), true
		}
	}
	return nil, false
}

// mappedMembers returns the mapped members of an object, or of each object in an array.
func (f fields) mappedMembers(below string, value json.RawMessage) json.RawMessage {
	if value[0] == '[' {
		var list []json.RawMessage
		if json.Unmarshal(value, &list) != nil {
			return json.RawMessage("null")
		}
		out := json.RawMessage{'['}
		for i, one := range list {
			if i > 0 {
				out = append(out, ',')
			}
			out = append(out, f.mappedMembers(below, one)...)
		}
		return append(out, ']')
	}
	if value[0] != '{' {
		return value
	}
	out := json.RawMessage{'{'}
	err := EachMember(value, func(m Member) error {
		var mapped bool
		if m.Value, mapped = f.mapped(below+m.Name, m.Value); mapped {
			out = m.appendTo(out)
		}
		return nil
	})
	if err != nil {
		return json.RawMessage("null")
	}
	return append(out, '}')
}
