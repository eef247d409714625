package document

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/timestamp"
)

// readDates sets how a date field is read. Package timestamp alone says which texts are dates, since the other consumers read them
// by it: OpenSearch's own forms take more. Formats that only the definition's author can have meant are left to OpenSearch.
func (m *mapped) readDates() {
	iso := map[string]bool{"strict_date_optional_time": true, "strict_date_optional_time_nanos": true, "date_optional_time": true}
	micro := map[string]bool{"uuuu-MM-dd HH:mm:ss.SSSSSS": true, "yyyy-MM-dd HH:mm:ss.SSSSSS": true}
	m.isoDates = m.Format == ""
	for format := range strings.SplitSeq(m.Format, "||") {
		switch {
		case iso[format]:
			m.isoDates = true
		case micro[format]:
			m.microDates = true
		case format == "epoch_millis" || format == "epoch_second":
			m.epochDates = true
		case format != "":
			m.otherDates = true
		}
	}
}

// isoTime are the ISO forms that OpenSearch takes as they are.
var isoTime = regexp.MustCompile(`^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-](0\d|1[0-7]):[0-5]\d)?)?$`)

// takesDate reports whether OpenSearch takes a timestamp as the item has it.
func (m *mapped) takesDate(text string) bool {
	return m.takesMicro(text) || isoTime.MatchString(text)
}

// takesMicro reports whether a timestamp is in the form that the game writes; whether each digit is one, OpenSearch checks.
func (m *mapped) takesMicro(text string) bool {
	return m.microDates && len(text) == len("2006-01-02 15:04:05.000000") && text[10] == ' ' && text[19] == '.' && !strings.ContainsAny(text[20:], "Z+-")
}

// epoch are the texts of a number of seconds or milliseconds. A number of four digits is a year to OpenSearch's ISO forms.
var (
	epoch    = regexp.MustCompile(`^-?\d+(\.\d+)?$`)
	yearOnly = regexp.MustCompile(`^\d{4}$`)
)

// dateFault returns why a text or number is no date of the field, though OpenSearch might read it as one. It returns nil
// for what OpenSearch itself refuses.
func (m *mapped) dateFault(v change.Value) error {
	switch {
	case m.otherDates:
		return nil
	case v.Type() == change.N:
		if number := string(v.AppendNumber(nil)); yearOnly.MatchString(number) {
			return fmt.Errorf("the number %s is no timestamp; write a text like 2024-01-15T10:30:00Z", number)
		}
		return nil
	case v.Type() != change.S:
		return nil
	}
	text := v.Text()
	if m.takesMicro(text) || m.epochDates && epoch.MatchString(text) && !yearOnly.MatchString(text) {
		return nil
	}
	_, err := timestamp.Parse(text, time.UTC)
	return err
}

// at returns the mapping of a member, whose name's dots are a path; nil if nobody mapped it.
func (m *mapped) at(name string) *mapped {
	for part := range strings.SplitSeq(name, ".") {
		if m == nil || m.disabled() {
			return nil
		}
		m = m.Properties[part]
	}
	return m
}

// refuses returns why the index must not have a value that OpenSearch might take.
func (m *mapped) refuses(v change.Value) error {
	if m == nil || !m.hasDates {
		return nil
	}
	switch v.Type() {
	case change.M:
		for name, member := range v.Map() {
			if err := m.at(name).refuses(member); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return nil
	case change.L, change.SS, change.NS:
		for member := range v.List() {
			if err := m.refuses(member); err != nil {
				return err
			}
		}
		return nil
	}
	if !m.isoDates || m.ignores {
		return nil
	}
	return m.dateFault(v)
}

// Refusal is an attribute that an index must not have.
type Refusal struct {
	Attribute
	Err error
}

// Refusals returns the item's attributes that the index must not have.
func (r *Route) Refusals(c *change.Change) (found []Refusal) {
	if !r.mapping.hasDates {
		return nil
	}
	for a := range r.Attributes(c) {
		m := r.mapping.at(a.Field)
		if m == nil || !m.hasDates || !r.Takes(c, a) {
			continue
		}
		if err := m.refuses(a.Value); err != nil {
			found = append(found, Refusal{a, fmt.Errorf("attribute %s, date field %s of index %s: %w", a.Name, a.Field, r.Index, err)})
		}
	}
	return found
}

// Refuse returns a consumer.Reject if the index must not have the item.
func (r *Route) Refuse(c *change.Change) error {
	if found := r.Refusals(c); len(found) > 0 {
		return consumer.Reject(found[0].Err)
	}
	return nil
}

// appendDates appends the value of a date field. Texts that the other consumers read as timestamps get a form that
// OpenSearch takes.
func (m *mapped) appendDates(dst []byte, v change.Value) (_ []byte, altered bool) {
	switch v.Type() {
	case change.L, change.SS:
		return appendList(dst, v, m.appendDates)
	case change.S:
		if text := v.Text(); !m.takesDate(text) {
			if at, err := timestamp.Parse(text, time.UTC); err == nil {
				dst = append(dst, '"')
				dst = at.UTC().AppendFormat(dst, "2006-01-02T15:04:05.999999999Z")
				return append(dst, '"'), true
			}
		}
	}
	if m.ignores && m.dateFault(v) != nil {
		return append(dst, "null"...), true
	}
	return v.AppendJSON(dst), false
}
