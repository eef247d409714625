package query

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"sluice/consumers/search/internal/document"
)

// class is what a field's type lets one ask.
type class uint8

const (
	other   class = iota // whether it is there, and no more
	text                 // words
	keyword              // whole values
	number
	date
	boolean
)

// field is a field as the index has it.
type field struct {
	name    string
	kind    string // its type in OpenSearch's words
	class   class
	raw     string // of a text: the field beneath it that has its whole value, if there is one
	beneath bool   // whether it is one that OpenSearch makes of another
	longest int    // of a keyword: how many UTF-16 units its longest indexed value has; 0: any
}

var classes = map[string]class{
	"text": text, "match_only_text": text,
	"keyword": keyword, "constant_keyword": keyword,
	"long": number, "integer": number, "short": number, "byte": number, "unsigned_long": number,
	"double": number, "float": number, "half_float": number, "scaled_float": number,
	"date": date, "date_nanos": date,
	"boolean": boolean,
}

// fields are the fields of an index by name.
type fields map[string]field

// mapping is what OpenSearch says of a field, or of the whole index.
type mapping struct {
	Type       string
	Index      *bool // nil: true
	Longest    int   `json:"ignore_above"`
	Properties map[string]mapping
	Fields     map[string]mapping
}

// readFields reads the answer to a request for an index's mapping.
func readFields(answer []byte) (fields, error) {
	var indexes map[string]struct{ Mappings mapping }
	if err := json.Unmarshal(answer, &indexes); err != nil {
		return nil, fmt.Errorf("read the mapping: %w", err)
	}
	if len(indexes) != 1 {
		return nil, fmt.Errorf("the alias leads to %d indexes, want one", len(indexes))
	}
	found := fields{}
	for _, index := range indexes {
		found.add("", index.Mappings)
	}
	// Whether something is removed is for Sluice alone.
	delete(found, document.Field+".deleted")
	return found, nil
}

// add adds what an object holds.
func (f fields) add(path string, object mapping) {
	for name, m := range object.Properties {
		name = path + name
		if m.Type == "" || m.Type == "object" {
			f.add(name+".", m)
			continue
		}
		added := field{name: name, kind: m.Type, class: m.class(), longest: m.Longest}
		for sub, under := range m.Fields {
			f[name+"."+sub] = field{name: name + "." + sub, kind: under.Type, class: under.class(), beneath: true, longest: under.Longest}
			if added.class == text && under.class() == keyword && (added.raw == "" || sub == "raw") {
				added.raw = name + "." + sub
			}
		}
		f[name] = added
	}
}

func (m mapping) class() class {
	if m.Index != nil && !*m.Index {
		return other
	}
	return classes[m.Type]
}

// find returns a field by name, or says which there are.
func (f fields) find(name string) (field, error) {
	if found, ok := f[name]; ok {
		return found, nil
	}
	return field{}, fmt.Errorf("there is no field %s; there are: %s", name, strings.Join(f.own(func(field) bool { return true }), ", "))
}

// searched returns the fields in which words without a field are looked for, sorted.
func (f fields) searched() []string {
	return f.own(func(one field) bool { return one.class == text || one.class == keyword })
}

// own returns the names of the items' own fields that are wanted, sorted.
func (f fields) own(wanted func(field) bool) []string {
	var names []string
	for name, one := range f {
		if !one.beneath && !strings.HasPrefix(name, document.Field+".") && wanted(one) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// sortable returns the field that one sorts or counts by, and finds whole values in.
func (f fields) sortable(name string) (field, error) {
	found, err := f.find(name)
	if err != nil {
		return found, err
	}
	if found.class == text {
		if found.raw == "" {
			return found, fmt.Errorf("field %s is text without a keyword beneath it, so nothing has its whole value", name)
		}
		return f[found.raw], nil
	}
	if found.class == other {
		return found, fmt.Errorf("field %s is of type %s, which isn't searched", name, found.kind)
	}
	return found, nil
}

// whole returns the keyword that has a field's whole value: the field itself, or the one
// beneath a text; the zero field if there is none.
func (f fields) whole(one field) field {
	if one.class == text {
		return f[one.raw]
	}
	return one
}
