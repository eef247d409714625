package document

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// mapped is a definition's entry for a field or an object, as far as it decides which names and dates OpenSearch takes
// there.
type mapped struct {
	Type    string
	Format  string
	Enabled *bool
	Dynamic any // absent: as the object above
	// IgnoreMalformed leaves a value out of the index if OpenSearch can't read it.
	IgnoreMalformed any `json:"ignore_malformed"`
	Properties      map[string]*mapped
	Fields          map[string]*mapped

	dynamic    bool // OpenSearch parses members that nobody mapped
	isoDates   bool // a date field takes a time in the ISO form
	microDates bool // a date field takes 2006-01-02 15:04:05.000000
	epochDates bool // a date field is declared to take seconds or milliseconds
	otherDates bool // a date field is declared to take forms that Sluice doesn't know
	ignores    bool // IgnoreMalformed as one of two
	hasDates   bool // this is a date field that takes the ISO form, or an object with one in it
}

// readMapping reads the mapping of a definition.
func readMapping(definition []byte) (*mapped, error) {
	var index struct{ Mappings mapped }
	if err := json.Unmarshal(definition, &index); err != nil {
		return nil, err
	}
	index.Mappings.Type = "object"
	index.Mappings.finish(true)
	return &index.Mappings, nil
}

// finish sets what follows from a field's mapping and from the object above it.
func (m *mapped) finish(above bool) {
	m.dynamic = above
	if m.Dynamic != nil {
		m.dynamic = fmt.Sprint(m.Dynamic) != "false"
	}
	if m.Type == "date" || m.Type == "date_nanos" {
		m.readDates()
	}
	m.ignores = fmt.Sprint(m.IgnoreMalformed) == "true"
	m.hasDates = m.isoDates
	for _, member := range m.Properties {
		member.finish(m.dynamic)
		m.hasDates = m.hasDates || member.hasDates && !m.disabled()
	}
}

func (m *mapped) isObject() bool { return m.Type == "" || m.Type == "object" || m.Type == "nested" }

// disabled reports whether OpenSearch reads nothing of an object.
func (m *mapped) disabled() bool { return m.Enabled != nil && !*m.Enabled }

// parses reports whether OpenSearch reads the members of an object as fields. The
// members of a nil object are those that nobody mapped; dynamic says whether OpenSearch reads them.
func (m *mapped) parses(dynamic bool) bool {
	if m == nil {
		return dynamic
	}
	return m.isObject() && !m.disabled()
}

// member returns the mapping of an object's member; nil if nobody mapped it. It reports whether OpenSearch parses the
// member all the same.
func (m *mapped) member(name string, dynamic bool) (*mapped, bool) {
	if m == nil {
		return nil, dynamic
	}
	if of := m.Properties[name]; of != nil {
		return of, of.dynamic
	}
	return nil, m.dynamic
}

// Metadata are the names that OpenSearch reserves at the top of a document, including those of earlier versions and of
// its own plugins.
var Metadata = map[string]bool{
	"_id": true, "_index": true, "_source": true, "_routing": true, "_field_names": true, "_ignored": true, "_seq_no": true, "_version": true, "_nested_path": true,
	"_doc_count": true, "_data_stream_timestamp": true, "_feature": true, "_primary_term": true, "_type": true, "_size": true, "_recovery_source": true,
}

// IsOwn reports whether a name is one of Sluice's own fields.
func IsOwn(name string) bool { return name == Field || name == ItemField }

// takesName reports whether an object of a document can have a member of this name.
// OpenSearch reads dots as a path, so a name with dots must not lead through a field
// that isn't an object.
func (m *mapped) takesName(name string, top, dynamic bool) bool {
	if top && name != "" && name[0] != '_' && !strings.Contains(name, ".") {
		return true // as most are
	}
	path := strings.Split(strings.TrimRight(name, "."), ".")
	if path[0] == "" || top && (Metadata[path[0]] || IsOwn(path[0])) {
		return false
	}
	if !strings.Contains(name, ".") {
		return true
	}
	if slices.ContainsFunc(path, blank) {
		return false
	}
	if first, _ := m.member(path[0], dynamic); first != nil && strings.HasSuffix(name, ".") {
		return false // OpenSearch would take it for the field without the dots
	}
	at := m
	for _, part := range path[:len(path)-1] {
		at, dynamic = at.member(part, dynamic)
		switch {
		case at == nil && !dynamic:
			return true // OpenSearch reads nothing below
		case at == nil:
		case at.disabled():
			return true
		case !at.isObject() || at.Type == "nested":
			return false
		}
	}
	return true
}

// blank reports whether a part of a path has nothing but spaces, as Java sees them.
func blank(part string) bool {
	return !strings.ContainsFunc(part, func(r rune) bool {
		return !unicode.IsSpace(r) && (r < 0x1c || r > 0x1f)
	})
}

// maps reports whether the definition maps a field, or lets OpenSearch do so.
func (m *mapped) maps(field string) bool {
	at, dynamic := m, m.dynamic
	for part := range strings.SplitSeq(field, ".") {
		if at, dynamic = at.member(part, dynamic); at == nil {
			return dynamic
		}
	}
	return true
}
