package topictest

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"
)

// Deliverable reports whether a message may have the character, by SQS's documentation and
// without control characters.
func Deliverable(r rune) bool {
	return r >= ' ' && r <= '~' || r >= 0xa0 && r <= 0xfdcf || r >= 0xfdf0 && r <= 0xfffd || r >= 0x10000 && r&0xfffe != 0xfffe
}

var unit = regexp.MustCompile(`(\\u[0-9a-f]{4})+`)

// Unescape reads an attribute as a subscriber does.
func Unescape(attribute string) string {
	return unit.ReplaceAllStringFunc(attribute, func(found string) string {
		var units []uint16
		for _, digits := range strings.Split(found[len(`\u`):], `\u`) {
			n, err := strconv.ParseUint(digits, 16, 16)
			if err != nil {
				panic(err)
			}
			units = append(units, uint16(n))
		}
		return string(utf16.Decode(units))
	})
}
