package printable

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// hostile is a character of each kind that must not reach a terminal.
var hostile = map[string]string{
	"NUL": "\x00", "bell": "\a", "backspace": "\b", "tab": "\t", "line feed": "\n", "vertical tab": "\v", "form feed": "\f", "carriage return": "\r",
	"escape": "\x1b", "delete": "\x7f", "C1 CSI": "\u009b", "next line": "\u0085", "line separator": "\u2028", "paragraph separator": "\u2029",
	"LRE": "\u202a", "RLE": "\u202b", "PDF": "\u202c", "LRO": "\u202d", "RLO": "\u202e", "LRI": "\u2066", "RLI": "\u2067", "FSI": "\u2068", "PDI": "\u2069",
	"LRM": "\u200e", "RLM": "\u200f", "ALM": "\u061c", "zero-width space": "\u200b", "ZWNJ": "\u200c", "ZWJ": "\u200d", "word joiner": "\u2060",
	"byte order mark": "\ufeff", "soft hyphen": "\u00ad", "grapheme joiner": "\u034f", "Hangul filler": "\u3164", "variation selector": "\ufe0f",
	"variation selector 17": "\U000e0100", "tag": "\U000e0041", "interlinear": "\ufff9", "private": "\ue000", "private plane": "\U0010fffd",
	"unassigned": "\u0378", "noncharacter FFFE": "\ufffe", "noncharacter FFFF": "\uffff", "noncharacter FDD0": "\ufdd0", "noncharacter of a plane": "\U0001ffff",
	"musical format": "\U0001d173", "a byte alone": "\xff", "a surrogate": "\xed\xa0\x80", "half a character": "\xe2\x82", "overlong": "\xc0\xaf",
}

func TestHostileCharactersAreReplaced(t *testing.T) {
	for name, bad := range hostile {
		got := Text("a" + bad + "b")
		if !strings.HasPrefix(got, "a\uFFFD") || !strings.HasSuffix(got, "\uFFFDb") || strings.Contains(got, bad) {
			t.Errorf("%s: got %+q", name, got)
		}
		var out bytes.Buffer
		w := NewWriter(&out)
		if _, err := io.WriteString(w, bad); err != nil || w.Flush() != nil {
			t.Fatal(err)
		}
		if text := out.String(); text != "\n" && strings.Contains(text, bad) {
			t.Errorf("%s: the writer writes %+q", name, text)
		}
	}
}

func TestTextThatShowsIsKept(t *testing.T) {
	for _, text := range []string{"", "marah", "Köln", "Łódź", "日本語", "한국어", "עברית", "العربية", "ไทย", "हिन्दी", "e\u0301", "★ 😀 👍🏽", "a b", "\uFFFD", "→ │ ▶"} {
		if got := Text(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
	if got := Lines("a\nb\x1b"); got != "a\nb\uFFFD" {
		t.Errorf("lines %q", got)
	}
}

// Any bytes at all: one line of valid, visible characters, no longer than asked, and the same again if cleaned again.
func TestAnyBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
		if rapid.Bool().Draw(t, "characters") {
			s = rapid.String().Draw(t, "text")
		}
		width := rapid.IntRange(1, 50).Draw(t, "width")
		for _, got := range []string{Text(s), Cut(s, width)} {
			if !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool { return !Visible(r) }) {
				t.Fatalf("%q became %q", s, got)
			}
			if Text(got) != got {
				t.Fatalf("%q changes when it is cleaned again", got)
			}
		}
		if got := Cut(s, width); Width(got) > width {
			t.Fatalf("%q takes %d columns, want at most %d", got, Width(got), width)
		}
	})
}

func TestAFloodOfMarks(t *testing.T) {
	flood := "e" + strings.Repeat("\u0301", 10_000)
	if got := Text(flood + "x"); got != "e\u0301\u0301\u0301\u0301x" {
		t.Errorf("got %d bytes", len(got))
	}
	if got := Name(strings.Repeat(flood, 3)); len(got) > 1000 {
		t.Errorf("a name has %d bytes", len(got))
	}
}

func TestLongNames(t *testing.T) {
	for text, want := range map[string]string{
		strings.Repeat("n", 2048): strings.Repeat("n", NameWidth-1) + "…",
		strings.Repeat("n", 40):   strings.Repeat("n", 40),
		strings.Repeat("本", 30):   strings.Repeat("本", 19) + "…",
	} {
		if got := Name(text); got != want {
			t.Errorf("%q became %q", text, got)
		}
	}
}

// A character that is split between two writes is one.
func TestWriterAcrossWrites(t *testing.T) {
	text := "Köln 日本\u202e 😀\x1b[31m\tred\n\xe2\x82"
	want := "Köln 日本\uFFFD 😀\uFFFD[31m red\n\uFFFD\uFFFD"
	var out bytes.Buffer
	w := NewWriter(&out)
	if _, err := io.Copy(w, iotest.OneByteReader(strings.NewReader(text))); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil || out.String() != want {
		t.Errorf("got %q, %v, want %q", out.String(), err, want)
	}
}

func TestJSONKeepsItsValues(t *testing.T) {
	for name, bad := range hostile {
		want, err := json.Marshal(map[string]string{"a": "x" + bad + "y"})
		if err != nil {
			t.Fatal(err)
		}
		got := JSON(want)
		if bytes.ContainsFunc(got, func(r rune) bool { return r != '\n' && !Visible(r) }) {
			t.Errorf("%s: %q", name, got)
		}
		var a, b map[string]string
		if err := json.Unmarshal(got, &a); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := json.Unmarshal(want, &b); err != nil || a["a"] != b["a"] {
			t.Errorf("%s: %q became %q", name, b["a"], a["a"])
		}
	}
}

func TestTable(t *testing.T) {
	var table Table
	table.Row("player", "badge", "day")
	table.Row("日本", "one\ttwo\nthree", 7)
	table.Row(strings.Repeat("n", 2048), "", "")
	table.MaxWidth = 10
	table.Row("e\u0301x", strings.Repeat("n", 2048), unicode.ReplacementChar)
	var out bytes.Buffer
	if err := table.Flush(&out); err != nil {
		t.Fatal(err)
	}
	n := strings.Repeat("n", CellWidth-1) + "…"
	pad := func(s string) string { return s + strings.Repeat(" ", CellWidth+2-Width(s)) }
	want := pad("player") + "badge          day\n" + pad("日本") + "one�two�three  7\n" + n + "\n" + pad("e\u0301x") + "nnnnnnnnn…     65533\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
	out.Reset()
	right := Table{Right: true}
	right.Row("1.", "reed", 7)
	right.Row("10.", "日本", 12)
	if err := right.Flush(&out); err != nil || out.String() != "   1.  reed   7\n  10.  日本  12\n" {
		t.Errorf("got\n%s", out.String())
	}
}
