package declaration

import (
	"bytes"
	"unicode/utf8"
)

// decode returns a file's text without its byte order mark; false if the text is no UTF-8 or has characters that YAML
// forbids, which is a fault at the first of them.
func (r *Reader) decode(text []byte) ([]byte, bool) {
	for _, mark := range []string{"\xff\xfe", "\xfe\xff", "\x00\x00\xfe\xff"} {
		if bytes.HasPrefix(text, []byte(mark)) {
			r.Fault(Position{1, 1}, "the file is UTF-16 or UTF-32; save it as UTF-8")
			return nil, false
		}
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	at := Position{1, 1}
	for rest := text; len(rest) > 0; {
		c, size := utf8.DecodeRune(rest)
		switch {
		case c == utf8.RuneError && size == 1:
			r.Fault(at, "the byte 0x%02X is no UTF-8; save the file as UTF-8", rest[0])
			return nil, false
		case c < ' ' && c != '\t' && c != '\n' && c != '\r', c == 0x7f, c == 0xfffe, c == 0xffff:
			r.Fault(at, "the character U+%04X must not stand in a YAML file", c)
			return nil, false
		case c == '\n':
			at = Position{at.Line + 1, 1}
		default:
			at.Column++
		}
		rest = rest[size:]
	}
	return text, true
}
