package query

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxRegexp is how long a regular expression may be that OpenSearch takes
// (index.max_regex_length).
const maxRegexp = 1000

// sameLetters are letters beyond what package unicode folds: I is the capital of ı, too, and
// i the small letter of İ.
var sameLetters = map[rune]string{'i': "İı"}

// folded returns the letters that are the same as r but for case, r among them.
func folded(r rune) []rune {
	small := unicode.ToLower(unicode.ToUpper(r))
	letters := []rune{small}
	for next := unicode.SimpleFold(small); next != small; next = unicode.SimpleFold(next) {
		letters = append(letters, next)
	}
	return append(letters, []rune(sameLetters[small])...)
}

// anyCase returns a regular expression that matches text whatever the case of its letters
// is, and whether letters outside ASCII could match. OpenSearch's own case_insensitive
// knows ASCII only.
func anyCase(text string) (expression string, beyondASCII bool) {
	var out strings.Builder
	runes := []rune(text)
	for i := 0; i < len(runes); i++ {
		small := unicode.ToLower(unicode.ToUpper(runes[i]))
		switch {
		case small == 's' && i+1 < len(runes) && unicode.ToLower(unicode.ToUpper(runes[i+1])) == 's':
			out.WriteString("([sSſ][sSſ]|[ßẞ])")
			beyondASCII = true
			i++
			continue
		case small == 'ß':
			out.WriteString("([sSſ][sSſ]|[ßẞ])")
			beyondASCII = true
			continue
		case small == 'i' && i+1 < len(runes) && runes[i+1] == '\u0307': // as Unicode lowers İ
			i++
		}
		letters := folded(small)
		if len(letters) == 1 {
			writeLiteral(&out, letters[0])
			continue
		}
		out.WriteByte('[')
		for _, letter := range letters {
			out.WriteRune(letter)
			beyondASCII = beyondASCII || letter >= utf8.RuneSelf
		}
		out.WriteByte(']')
	}
	return out.String(), beyondASCII
}

// writeLiteral writes a character that isn't a letter with cases.
func writeLiteral(out *strings.Builder, r rune) {
	if r < utf8.RuneSelf && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
		out.WriteByte('\\')
	}
	out.WriteRune(r)
}

// wholeValue finds a keyword that has the value, whatever the case of its letters.
func wholeValue(name, value string) object {
	return valueInAnyCase(name, value, "term", "")
}

// valueBegins finds a keyword that begins with the value, whatever the case of its letters.
func valueBegins(name, value string) object {
	return valueInAnyCase(name, value, "prefix", ".*")
}

func valueInAnyCase(name, value, plainly, rest string) object {
	asked := func(value string) object {
		return object{plainly: object{name: object{"value": value, "case_insensitive": true}}}
	}
	expression, beyondASCII := anyCase(value)
	if !beyondASCII {
		return asked(value)
	}
	if expression += rest; utf8.RuneCountInString(expression) <= maxRegexp {
		return object{"regexp": object{name: object{"value": expression, "flags": "NONE"}}}
	}
	// Too long for that: as it is written, all small, or all capitals.
	return object{"bool": object{"should": []object{asked(value), asked(strings.ToLower(value)), asked(strings.ToUpper(value))}}}
}
