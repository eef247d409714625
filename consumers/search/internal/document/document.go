package document

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"sluice/shared/change"
)

// Field is the reserved field with what Sluice knows of a document: the time of its change, when it was indexed, and
// whether the item was removed.
const Field = "_sluice"

// ItemField is the reserved field with what the index can't take under its own name or in its own form; see [Aside].
const ItemField = "_sluiceItem"

// MaxID is OpenSearch's limit for a document's id, in bytes.
const MaxID = 512

// idScheme is the version of the form of ids. Ids are stored, so a change of the form needs a new number, and more:
//   - An index has its documents under the old ids. Each needs a route to a new index, filled by sluice backfill. A reindex isn't
//     enough: it copies tombstones under their old ids, so an older change of a removed item would bring the item back. Nor
//     does sluice verify notice that an index has both forms.
//   - A reindex or backfill that was begun with the old form must not be resumed. [Route.Fingerprint] contains the number.
//   - [KeysOfID] must read the ids of the new form, or sluice verify takes the documents for foreign ones.
//   - No item may get the id that package index asks for in its question, questionID: ~ followed by anything but n, b or h is free.
const idScheme = 1

// ID returns the id of an item's document: the key values, sorted by their names and joined with #. In a string #, %, ~
// and control characters are escaped as in URLs. A number is ~n and its one form. Binary is ~b and base64 for URLs. So
// no two items have the same id. An id that would be longer than MaxID is ~h and its hash.
func ID(keys change.Image) string {
	var names [2]string
	sorted := names[:0]
	for name := range keys.All() {
		sorted = append(sorted, name)
	}
	slices.Sort(sorted)
	var buf [128]byte
	id := buf[:0]
	for i, name := range sorted {
		if i > 0 {
			id = append(id, '#')
		}
		v, _ := keys.Get(name)
		switch v.Type() {
		case change.N:
			id = v.AppendNumber(append(id, "~n"...))
		case change.B:
			id = base64.RawURLEncoding.AppendEncode(append(id, "~b"...), v.Bytes())
		default:
			id = appendEscaped(id, v.Text())
		}
	}
	if len(id) > MaxID {
		hash := sha256.Sum256(id)
		return "~h" + hex.EncodeToString(hash[:])
	}
	return string(id)
}

func appendEscaped(dst []byte, text string) []byte {
	const hexDigits = "0123456789ABCDEF"
	for i := range len(text) {
		c := text[i]
		if c < ' ' || c == 0x7f || strings.IndexByte("#%~", c) >= 0 {
			dst = append(dst, '%', hexDigits[c>>4], hexDigits[c&15])
			continue
		}
		dst = append(dst, c)
	}
	return dst
}

// HashedIDError is returned for an id that is a hash, so it doesn't contain the keys.
type HashedIDError struct{ id string }

func (e *HashedIDError) Error() string { return "id " + e.id + " is a hash of the keys" }

// KeysOfID is the inverse of ID: it returns the texts of the key values, sorted by their names.
func KeysOfID(id string) ([]string, error) {
	if strings.HasPrefix(id, "~h") {
		return nil, &HashedIDError{id}
	}
	parts := strings.Split(id, "#")
	for i, part := range parts {
		var err error
		switch {
		case strings.HasPrefix(part, "~n"):
			parts[i] = part[2:]
		case strings.HasPrefix(part, "~b"):
			var b []byte
			b, err = base64.RawURLEncoding.DecodeString(part[2:])
			parts[i] = string(b)
		default:
			parts[i], err = url.PathUnescape(part)
		}
		if err != nil {
			return nil, fmt.Errorf("id %s isn't one of Sluice's: %w", id, err)
		}
	}
	return parts, nil
}

// AppendDocument appends the document of a change's new image, as one line.
func (r *Route) AppendDocument(dst []byte, c *change.Change, indexed time.Time) []byte {
	dst = appendOwn(dst, c, indexed)
	dst = append(dst, '}')
	var kept aside
	for a := range r.Attributes(c) {
		dst = r.appendField(dst, &kept, c, a)
	}
	return append(kept.appendTo(dst), '}')
}

// AppendTombstone appends the document of a removed item.
func AppendTombstone(dst []byte, c *change.Change, indexed time.Time) []byte {
	return append(appendOwn(dst, c, indexed), `,"deleted":true}}`...)
}

// appendOwn appends the start of a document with Sluice's own field, which it leaves open.
func appendOwn(dst []byte, c *change.Change, indexed time.Time) []byte {
	const layout = "2006-01-02T15:04:05.000000Z"
	dst = append(dst, `{"`+Field+`":{"time":"`...)
	dst = c.Time().AppendFormat(dst, layout)
	dst = append(dst, `","indexed":"`...)
	dst = indexed.UTC().AppendFormat(dst, layout)
	return append(dst, '"')
}

// appendField appends an attribute as a field, or keeps it for [ItemField].
func (r *Route) appendField(dst []byte, kept *aside, c *change.Change, a Attribute) []byte {
	if !r.Takes(c, a) {
		kept.attributes = appendMember(kept.attributes, a.Name, a.Value)
		return dst
	}
	dst = append(dst, ',')
	dst = change.AppendText(dst, a.Field)
	dst = append(dst, ':')
	dst, altered := r.AppendValue(dst, a.Field, a.Value)
	if altered {
		kept.values = appendMember(kept.values, a.Field, a.Value)
	}
	return dst
}
