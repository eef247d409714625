package search

import (
	"encoding/base64"
	"encoding/json"
	"maps"

	"github.com/shopspring/decimal"

	"sluice/shared/change"
)

// fieldsOf returns what a document of the route has of an item, by field.
func (r *Route) fieldsOf(item *change.Change) map[string]change.Value {
	fields := map[string]change.Value{}
	for _, image := range []change.Image{item.New, item.Keys} {
		for name, v := range image.All() {
			if field := r.field(name); field != "" {
				fields[field] = v
			}
		}
	}
	return fields
}

// sameDocument tells whether a document, whose numbers are as they are written, has
// just these fields. Numbers are the same if they are equal; the order of fields and of
// a set's members doesn't count.
func sameDocument(fields map[string]change.Value, document map[string]any) bool {
	count := len(document)
	if _, own := document[Field]; own {
		count--
	}
	if len(fields) != count {
		return false
	}
	for name, v := range fields {
		if written, there := document[name]; !there || !same(v, written) {
			return false
		}
	}
	return true
}

// same tells whether a value of a document is an attribute's.
func same(v change.Value, written any) bool {
	switch v.Type() {
	case change.NULL:
		return written == nil
	case change.BOOL:
		return written == v.Bool()
	case change.M:
		members, ok := written.(map[string]any)
		if !ok || len(members) != v.Len() {
			return false
		}
		for name, member := range v.Map() {
			if of, there := members[name]; !there || !same(member, of) {
				return false
			}
		}
		return true
	case change.L:
		members, ok := written.([]any)
		if !ok || len(members) != v.Len() {
			return false
		}
		i := 0
		for member := range v.List() {
			if !same(member, members[i]) {
				return false
			}
			i++
		}
		return true
	case change.SS, change.NS, change.BS:
		members, ok := written.([]any)
		if !ok || len(members) != v.Len() {
			return false
		}
		left := map[string]bool{}
		for _, member := range members {
			left[plain(member)] = true
		}
		wanted := map[string]bool{}
		for member := range v.List() {
			wanted[plainOf(member)] = true
		}
		return maps.Equal(left, wanted)
	}
	return plainOf(v) == plain(written)
}

// plainOf returns the one form of a text, number or binary.
func plainOf(v change.Value) string {
	switch v.Type() {
	case change.N:
		return plain(json.Number(v.Text()))
	case change.B:
		return plain(base64.StdEncoding.EncodeToString(v.Bytes()))
	}
	return plain(v.Text())
}

// plain returns the one form of a document's text or number.
func plain(written any) string {
	switch written := written.(type) {
	case string:
		return "text " + written
	case json.Number:
		if n, err := decimal.NewFromString(string(written)); err == nil {
			return "number " + n.String()
		}
	}
	return "neither"
}
