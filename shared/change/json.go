package change

import (
	"encoding/base64"
	"strconv"
)

// AppendJSON appends the image as a JSON document: numbers as JSON numbers with every digit of the record, binary as base64
// (once), sets and lists as arrays, a missing image as null. What it appends is always valid JSON.
func (m Image) AppendJSON(dst []byte) []byte { return m.v.AppendJSON(dst) }

// AppendJSON appends the value as JSON, as Image.AppendJSON does.
func (v Value) AppendJSON(dst []byte) []byte {
	switch v.Type() {
	case S:
		return AppendText(dst, v.a.text(v.i))
	case N:
		return append(dst, v.a.bytes(v.i)...)
	case B:
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, v.a.bytes(v.i))
		return append(dst, '"')
	case BOOL:
		return strconv.AppendBool(dst, v.Bool())
	case M:
		dst = append(dst, '{')
		comma := false
		for name, member := range v.Map() {
			if comma {
				dst = append(dst, ',')
			}
			comma = true
			dst = append(AppendText(dst, name), ':')
			dst = member.AppendJSON(dst)
		}
		return append(dst, '}')
	case L, SS, NS, BS:
		dst = append(dst, '[')
		comma := false
		for member := range v.List() {
			if comma {
				dst = append(dst, ',')
			}
			comma = true
			dst = member.AppendJSON(dst)
		}
		return append(dst, ']')
	default:
		return append(dst, "null"...)
	}
}

// AppendText appends s, which must be valid UTF-8 as all texts of a change are, as a JSON string.
func AppendText(dst []byte, s string) []byte {
	const hexDigits = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}
