package change

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner reads JSON text by the grammar of encoding/json and no other, except that it refuses what encoding/json would
// silently replace: invalid UTF-8 and halves of surrogate pairs. It never writes to b.
//
// Its methods return false at the first thing that is wrong, having noted what and where.
type scanner struct {
	b     []byte
	i     int
	depth int

	what string
	at   int
}

// maxDepth is encoding/json's own limit.
const maxDepth = 10000

func (s *scanner) fail(at int, what string) bool {
	if s.what == "" {
		s.what, s.at = what, at
	}
	return false
}

// peek returns the next byte that isn't white space without taking it, and 0 at the end: no JSON token starts with a NUL.
func (s *scanner) peek() byte {
	for ; s.i < len(s.b); s.i++ {
		if c := s.b[s.i]; c > ' ' || (c != ' ' && c != '\n' && c != '\t' && c != '\r') {
			return c
		}
	}
	return 0
}

func (s *scanner) eat(c byte) bool {
	if s.i < len(s.b) && s.b[s.i] == c || s.peek() == c {
		s.i++
		return true
	}
	return false
}

func (s *scanner) expect(c byte) bool {
	return s.eat(c) || s.fail(s.i, "expected "+string(rune(c)))
}

// end takes the white space after the whole text and nothing else.
func (s *scanner) end() bool {
	s.peek()
	return s.i == len(s.b) || s.fail(s.i, "more data after the JSON value")
}

// enter takes the start of an object or array that ends with closing, and says whether it has a first member. Each further one
// follows a comma; after the last comes leave.
func (s *scanner) enter(opening, closing byte) (more, ok bool) {
	if !s.expect(opening) {
		return false, false
	}
	if s.depth++; s.depth > maxDepth {
		return false, s.fail(s.i, "nested too deeply")
	}
	return s.peek() != closing, true
}

// leave takes the end of an object or array.
func (s *scanner) leave(closing byte) bool {
	s.depth--
	return s.eat(closing) || s.fail(s.i, "expected , or "+string(rune(closing)))
}

// name takes the name of an object's member and the colon.
func (s *scanner) name() (text, bool) {
	t, ok := s.str()
	return t, ok && (s.eat(':') || s.fail(s.i, "expected :"))
}

// text is where the contents of a string stand, without its quotes.
type text struct {
	start, end int
	escaped    bool
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// str takes a string.
func (s *scanner) str() (text, bool) {
	b, i := s.b, s.i
	if i >= len(b) || b[i] != '"' {
		if s.peek() != '"' {
			return text{}, s.fail(s.i, "expected a string")
		}
		i = s.i
	}
	start := i + 1
	for i = start; i+8 <= len(b); i += 8 {
		if n := plain(b[i:]); n < 8 {
			i += n
			break
		}
	}
	// Here it nearly always ends: strings are short and plain.
	if i < len(b) && b[i] == '"' {
		s.i = i + 1
		return text{start, i, false}, true
	}
	return s.rest(start, i)
}

// plain returns how many of the first eight bytes of b a string can simply go over, up to a quote, a backslash, a control
// character, or a byte that isn't ASCII.
func plain(b []byte) int {
	w := binary.LittleEndian.Uint64(b)
	// A subtraction sets a byte's high bit if the byte was too small; what it borrows upsets only bytes after the first found.
	control, quote, slash := w-ones*' ', (w^ones*'"')-ones, (w^ones*'\\')-ones
	return bits.TrailingZeros64((w|control|quote|slash)&highs) >> 3
}

// rest takes the rest, from i on, of a string that starts at start.
func (s *scanner) rest(start, i int) (text, bool) {
	t := text{start: start}
	for i < len(s.b) {
		if i+8 <= len(s.b) {
			n := plain(s.b[i:])
			if i += n; n == 8 {
				continue
			}
		}
		switch c := s.b[i]; {
		case c == '"':
			t.end, s.i = i, i+1
			return t, true
		case c < ' ' || c == '\\' || c >= utf8.RuneSelf:
			n, ok := s.odd(i)
			if !ok {
				return t, false
			}
			t.escaped = t.escaped || c == '\\'
			i += n
		default:
			i++
		}
	}
	return t, s.fail(i, "string without an end")
}

// odd returns how long the letter or escape at i is, one that a string can't simply go over.
func (s *scanner) odd(i int) (int, bool) {
	switch c := s.b[i]; {
	case c == '\\':
		n := escapeLen(s.b[i:])
		return n, n > 0 || s.fail(i, "bad escape in a string")
	case c < ' ':
		return 0, s.fail(i, "control character in a string")
	}
	r, n := utf8.DecodeRune(s.b[i:])
	return n, r != utf8.RuneError || n > 1 || s.fail(i, "invalid UTF-8 in a string")
}

// escapeLen returns how long the escape at the start of b is, 0 if it is none. A surrogate pair is one escape.
func escapeLen(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		r := hex4(b)
		switch {
		case r < 0:
			return 0
		case !utf16.IsSurrogate(r):
			return 6
		case len(b) >= 12 && utf16.DecodeRune(r, hex4(b[6:])) != utf8.RuneError:
			return 12
		}
	}
	return 0
}

// hex4 returns the code of the \u escape at the start of b, -1 if it is none.
func hex4(b []byte) rune {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return -1
	}
	var r rune
	for _, c := range b[2:6] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

// unescape appends to dst the letters that src, the contents of a valid string, stands for.
// They are never more than src has, so dst may be the start of src.
func unescape(dst, src []byte) []byte {
	for i := 0; ; {
		n := bytes.IndexByte(src[i:], '\\')
		if n < 0 {
			return append(dst, src[i:]...)
		}
		dst = append(dst, src[i:i+n]...)
		i += n
		switch c := src[i+1]; c {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r := hex4(src[i:])
			if i += 4; utf16.IsSurrogate(r) {
				i += 6
				r = utf16.DecodeRune(r, hex4(src[i-4:]))
			}
			dst = utf8.AppendRune(dst, r)
		default:
			dst = append(dst, c)
		}
		i += 2
	}
}

// skip takes any value.
func (s *scanner) skip() bool {
	switch s.peek() {
	case '"':
		_, ok := s.str()
		return ok
	case '{':
		more, ok := s.enter('{', '}')
		for ; more; more = s.eat(',') {
			if _, ok := s.name(); !ok || !s.skip() {
				return false
			}
		}
		return ok && s.leave('}')
	case '[':
		more, ok := s.enter('[', ']')
		for ; more; more = s.eat(',') {
			if !s.skip() {
				return false
			}
		}
		return ok && s.leave(']')
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	}
	if s.i == len(s.b) || numberLen(s.b[s.i:]) == 0 {
		return s.fail(s.i, "expected a JSON value")
	}
	_, ok := s.number()
	return ok
}

func (s *scanner) literal(word string) bool {
	s.peek()
	if len(s.b)-s.i < len(word) || string(s.b[s.i:s.i+len(word)]) != word {
		return s.fail(s.i, "expected "+word)
	}
	s.i += len(word)
	return true
}

// number takes a JSON number.
func (s *scanner) number() (text, bool) {
	s.peek()
	n := numberLen(s.b[s.i:])
	if n == 0 {
		return text{}, s.fail(s.i, "expected a number")
	}
	t := text{start: s.i, end: s.i + n}
	s.i += n
	return t, true
}
