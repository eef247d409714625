package change

import "strconv"

// numberLen returns the length of the JSON number at the start of b, 0 if there is none.
func numberLen(b []byte) int {
	i := 0
	digits := func() bool {
		start := i
		for i < len(b) && '0' <= b[i] && b[i] <= '9' {
			i++
		}
		return i > start
	}
	if i < len(b) && b[i] == '-' {
		i++
	}
	if i < len(b) && b[i] == '0' {
		i++
	} else if !digits() {
		return 0
	}
	if i < len(b) && b[i] == '.' {
		if i++; !digits() {
			return 0
		}
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		if i++; i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		if !digits() {
			return 0
		}
	}
	return i
}

// DynamoDB's limits of a number.
const (
	maxDigits   = 38
	minExponent = -130 // of the first significant digit
	maxExponent = 125
)

// IsNumber reports whether DynamoDB can hold the number that the text writes: one of at most 38 digits, from 1E-130 to
// below 1E+126.
func IsNumber(text string) bool { return validNumber([]byte(text)) }

// validNumber reports whether b is a JSON number within DynamoDB's limits.
func validNumber(b []byte) bool {
	if len(b) == 0 || numberLen(b) != len(b) {
		return false
	}
	if len(b) <= maxDigits && fixed(b) {
		return true
	}
	var buf [maxDigits]byte
	d := decompose(b, buf[:0])
	if len(d.digits) == 0 {
		return true
	}
	first := d.exponent + d.length - 1
	return d.length <= maxDigits && minExponent <= first && first <= maxExponent
}

// fixed reports whether a number has no exponent.
func fixed(b []byte) bool {
	for _, c := range b {
		if c|0x20 == 'e' {
			return false
		}
	}
	return true
}

// A decimal is a number taken apart: digits × 10^exponent, digits with no zero at either end, and none at all for 0.
type decimal struct {
	negative bool
	digits   []byte // the first maxDigits of them
	length   int    // how many there are
	exponent int
}

// decompose takes apart the valid JSON number b. Equal numbers have equal parts. The digits are appended to buf.
func decompose(b, buf []byte) decimal {
	d := decimal{digits: buf}
	if b[0] == '-' {
		d.negative, b = true, b[1:]
	}
	zeros, point := 0, false // zeros not yet known to stand before another digit
	for i, c := range b {
		if c == '.' {
			point = true
			continue
		}
		if c|0x20 == 'e' {
			d.exponent += exponent(b[i+1:])
			break
		}
		if point {
			d.exponent--
		}
		if c == '0' {
			zeros++
			continue
		}
		if d.length > 0 {
			for ; zeros > 0; zeros-- {
				d.add('0')
			}
		}
		zeros = 0
		d.add(c)
	}
	d.exponent += zeros
	if d.length == 0 {
		return decimal{}
	}
	return d
}

func (d *decimal) add(c byte) {
	if d.length++; d.length <= maxDigits {
		d.digits = append(d.digits, c)
	}
}

// exponent reads digits with an optional sign, and stops counting where any number is out of the limits.
func exponent(b []byte) int {
	sign, n := 1, 0
	for _, c := range b {
		switch {
		case c == '-':
			sign = -1
		case c == '+':
		case n < 1e12:
			n = n*10 + int(c-'0')
		}
	}
	return sign * n
}

// AppendNumber appends the one text that equal numbers have, however the record writes them; nothing for a value that is no
// number. Its form is stable: it may be stored.
func (v Value) AppendNumber(dst []byte) []byte {
	if v.Type() != N {
		return dst
	}
	return appendNumber(dst, v.a.bytes(v.i))
}

// maxCanonical is the length of the longest text that appendNumber writes: a sign, the digits, E and an exponent.
const maxCanonical = 1 + maxDigits + 5

// appendNumber appends the one canonical text of the valid JSON number b: equal numbers, however written, have equal texts.
func appendNumber(dst, b []byte) []byte {
	var buf [maxDigits]byte
	d := decompose(b, buf[:0])
	if d.length == 0 {
		return append(dst, '0')
	}
	if d.negative {
		dst = append(dst, '-')
	}
	dst = append(dst, d.digits...)
	if d.exponent >= 0 && d.length+d.exponent <= maxDigits {
		for range d.exponent {
			dst = append(dst, '0')
		}
		return dst
	}
	dst = append(dst, 'E')
	return strconv.AppendInt(dst, int64(d.exponent), 10)
}
