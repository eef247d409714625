package declaration

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
)

// Files in every encoding are read, or refused at the place of the first fault. Fails if bytes that are no UTF-8 become
// other characters, or a byte order mark a part of the first key.
func TestEncodings(t *testing.T) {
	utf16le, utf16be := []byte{0xff, 0xfe}, []byte{0xfe, 0xff}
	for _, unit := range utf16.Encode([]rune("a: 1\n")) {
		utf16le = append(utf16le, byte(unit), byte(unit>>8))
		utf16be = append(utf16be, byte(unit>>8), byte(unit))
	}
	for text, want := range map[string]string{
		"a: 1\n": "", "\ufeffa: 1\n": "", "a: Köln\n": "", "a: 1\r\nb: 2\r\n": "", "a: \"x\ty\"\n": "",
		"a: 1\nb: K\xf6ln\n":      "f.yaml:2:5: the byte 0xF6 is no UTF-8",
		"\ufeffa: \xff\n":         "f.yaml:1:4: the byte 0xFF is no UTF-8",
		"# \xe4\na: 1\n":          "f.yaml:1:3: the byte 0xE4",
		"a: \xed\xa0\x80\n":       "f.yaml:1:4: the byte 0xED",
		"a: \xc0\x80\n":           "f.yaml:1:4: the byte 0xC0",
		"a: ü\xc3\n":              "f.yaml:1:5: the byte 0xC3",
		string(utf16le):           "f.yaml:1:1: the file is UTF-16",
		string(utf16be):           "f.yaml:1:1: the file is UTF-16",
		"a: 1\x00\n":              "f.yaml:1:5: the character U+0000",
		"a: \"\x1b[31m\"\n":       "f.yaml:1:5: the character U+001B",
		"a: 1\nb: {c: 1, c: 2}\n": `f.yaml:2:11: mapping key "c" already defined`,
		"a: 1\n\"a\": 2\n":        `f.yaml:2:1: mapping key "a" already defined`,
		"\ufeff\ufeffa: 1\n":      "",
	} {
		r := NewReader("f.yaml", nil)
		root, ok := r.Parse([]byte(text))
		if err := r.Err(); (err == nil) != (want == "") || ok != (want == "") || err != nil && !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, %v; want %q", text, ok, err, want)
		}
		if want == "" && !slices.ContainsFunc(root.Pairs, func(p Pair) bool { return p.Key == "a" }) && !strings.HasPrefix(text, "\ufeff\ufeff") {
			t.Errorf("%q has no key a: %v", text, root.Pairs)
		}
	}
}
