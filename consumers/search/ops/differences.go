package ops

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"sluice/consumers/search/internal/document"
	"sluice/shared/change"
	"sluice/shared/operate"
)

// maxShown is how many bytes of a value are shown.
const maxShown = 200

func shortened(text []byte) string {
	if len(text) <= maxShown {
		return string(text)
	}
	return strings.ToValidUTF8(string(text[:maxShown]), "") + "…"
}

// differs returns what is wrong with the document of an item; item is nil if the route takes none. shown says whether searches find
// the document.
func differs(r *document.Route, item *change.Change, d *heldDocument, shown bool) operate.Difference {
	switch {
	case item == nil && shown:
		return operate.Difference{What: operate.Extra}
	case item == nil:
		return operate.Difference{}
	case !d.visible() || !shown:
		d := operate.Difference{What: operate.Missing}
		var refused []string
		for _, one := range r.Refusals(item) {
			d.Values = append(d.Values, operate.Value{Path: one.Name, Source: shortened(one.Value.AppendJSON(nil))})
			refused = append(refused, one.Err.Error())
		}
		d.Refused = strings.Join(refused, "; ")
		return d
	}
	values, refused, err := differences(r, item, d.Source)
	if err != nil {
		values = []operate.Value{{Path: document.ItemField, Destination: err.Error()}}
	}
	if len(values) == 0 {
		return operate.Difference{}
	}
	return operate.Difference{What: operate.Different, Values: values, Refused: refused}
}

// differences compares an item with its document, whose numbers are as they are
// written. Numbers are the same if they are equal; the order of fields and of a set's
// members doesn't count.
func differences(r *document.Route, item *change.Change, source map[string]any) (found []operate.Value, refused string, err error) {
	kept, err := asideOf(source)
	if err != nil {
		return nil, "", err
	}
	left := map[string]any{} // of the document, to be found in the item
	for name, v := range source {
		if !document.IsOwn(name) {
			left[name] = v
		}
	}
	note := func(attribute string, v change.Value, written any, there bool) {
		d := operate.Value{Path: attribute, Source: shortened(v.AppendJSON(nil))}
		if there {
			d.Destination = shownJSON(written)
		}
		found = append(found, d)
	}
	for a := range r.Attributes(item) {
		if !r.Takes(item, a) {
			written, there := kept.attributes[a.Name]
			delete(kept.attributes, a.Name)
			if !there || !same(a.Value, written) {
				note(a.Name, a.Value, written, there)
			}
			continue
		}
		indexed, altered := r.AppendValue(nil, a.Field, a.Value)
		written, there := left[a.Field]
		delete(left, a.Field)
		value, wanted := written, true
		if altered {
			value, wanted = kept.values[a.Field]
			wanted = wanted && sameJSON(indexed, written)
			delete(kept.values, a.Field)
		}
		if !there || !wanted || !same(a.Value, value) {
			note(a.Name, a.Value, written, there)
		}
	}
	var reasons []string
	for _, one := range r.Refusals(item) { // an earlier version took some of them
		reasons = append(reasons, one.Err.Error())
		if !slices.ContainsFunc(found, func(v operate.Value) bool { return v.Path == one.Name }) {
			written, there := source[one.Field]
			note(one.Name, one.Value, written, there)
		}
	}
	for _, more := range []map[string]any{left, kept.attributes, kept.values} {
		for name, v := range more {
			found = append(found, operate.Value{Path: name, Destination: shownJSON(v)})
		}
	}
	slices.SortFunc(found, func(a, b operate.Value) int { return cmp.Compare(a.Path, b.Path) })
	return found, strings.Join(reasons, "; "), nil
}

func shownJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return shortened(text)
}

// keptAside is an [Aside] with its values decoded, numbers as they are written.
type keptAside struct{ attributes, values map[string]any }

func asideOf(source map[string]any) (keptAside, error) {
	kept := keptAside{map[string]any{}, map[string]any{}}
	field, there := source[document.ItemField]
	if !there {
		return kept, nil
	}
	text, ok := field.(string)
	if !ok {
		return kept, fmt.Errorf("field %s is no text", document.ItemField)
	}
	var read struct{ Attributes, Values map[string]any }
	if err := decodeExactly([]byte(text), &read); err != nil {
		return kept, fmt.Errorf("field %s: %w", document.ItemField, err)
	}
	maps.Copy(kept.attributes, read.Attributes)
	maps.Copy(kept.values, read.Values)
	return kept, nil
}

// sameJSON reports whether a decoded value is the same as one written as JSON; numbers
// are the same if they are equal.
func sameJSON(text []byte, written any) bool {
	var v any
	return decodeExactly(text, &v) == nil && sameAny(v, written)
}

func sameAny(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && maps.EqualFunc(a, b, sameAny)
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, sameAny)
	case json.Number, string:
		return plain(a) == plain(b)
	}
	return a == b
}

// same reports whether a document's value is the attribute's.
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
	case change.L, change.SS, change.NS, change.BS:
		members, ok := written.([]any)
		if !ok || len(members) != v.Len() {
			return false
		}
		i, inOrder := 0, true
		left, wanted := map[string]bool{}, map[string]bool{} // of a set, whose order doesn't count
		for member := range v.List() {
			if v.Type() == change.L {
				inOrder = inOrder && same(member, members[i])
			} else {
				left[plain(members[i])], wanted[plainOf(member)] = true, true
			}
			i++
		}
		return inOrder && maps.Equal(left, wanted)
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
