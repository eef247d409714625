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

// Field is the field of a document that has what Sluice knows of it: the time of
// its change, when it was indexed, and whether the item is gone. It is reserved.
const Field = "_sluice"

// ItemField is the field of a document that has what the index can't take under its own
// name or in its own form; see [aside]. It is reserved.
const ItemField = "_sluiceItem"

// MaxID is how many bytes OpenSearch allows for a document's id.
const MaxID = 512

// idScheme is the version of the form that ids have. Raise it with any change of documentID: a reindex or backfill that
// was begun with another form must not be resumed.
const idScheme = 1

// ID returns the id of an item's document: its key values, sorted by their
// names, with # in between. A string stands as it is, but for #, % and ~ and
// control characters, which are escaped as in URLs; a number stands behind ~n in
// its one form, binary behind ~b in base64 for URLs. So no two items have the same.
// An id that would be too long is its hash behind ~h.
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

// HashedIDError is returned for an id that doesn't tell the keys.
type HashedIDError struct{ id string }

func (e *HashedIDError) Error() string { return "id " + e.id + " is a hash of the keys" }

// KeysOfID is the inverse of documentID: the texts of the key values, sorted by their
// names.
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

// AppendDocument appends the document of a change's new image, in one line.
func (r *Route) AppendDocument(dst []byte, c *change.Change, indexed time.Time) []byte {
	dst = appendOwn(dst, c, indexed)
	dst = append(dst, '}')
	var kept aside
	for name, v := range c.Keys.All() {
		dst = r.appendField(dst, &kept, c, name, v)
	}
	for name, v := range c.New.All() {
		if _, isKey := c.Keys.Get(name); !isKey {
			dst = r.appendField(dst, &kept, c, name, v)
		}
	}
	return append(kept.appendTo(dst), '}')
}

// AppendTombstone appends what stands for an item that is gone.
func AppendTombstone(dst []byte, c *change.Change, indexed time.Time) []byte {
	return append(appendOwn(dst, c, indexed), `,"deleted":true}}`...)
}

// appendOwn appends the start of a document with Sluice's own field, still open.
func appendOwn(dst []byte, c *change.Change, indexed time.Time) []byte {
	const layout = "2006-01-02T15:04:05.000000Z"
	dst = append(dst, `{"`+Field+`":{"time":"`...)
	dst = c.Time().AppendFormat(dst, layout)
	dst = append(dst, `","indexed":"`...)
	dst = indexed.UTC().AppendFormat(dst, layout)
	return append(dst, '"')
}

// appendField appends an attribute as a field, or puts it aside.
func (r *Route) appendField(dst []byte, kept *aside, c *change.Change, name string, v change.Value) []byte {
	field := r.Field(name)
	switch {
	case field == "":
		return dst
	case !r.Takes(c, name, field, v):
		kept.attributes = appendMember(kept.attributes, name, v)
		return dst
	}
	dst = append(dst, ',')
	dst = change.AppendText(dst, field)
	dst = append(dst, ':')
	dst, altered := r.AppendValue(dst, field, v)
	if altered {
		kept.values = appendMember(kept.values, field, v)
	}
	return dst
}
