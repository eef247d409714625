// Package printable makes text that somebody else wrote safe to print: a player's name, an item's value, an error that
// quotes one.
//
// # Guarantees
//
//   - [Text] returns one line. It has no control character, no invisible character, and no character that changes the
//     direction of the text around it. Each of them becomes U+FFFD, so the reader sees that something was there
//     (TestHostileCharactersAreReplaced, TestAnyBytes).
//   - [Name] returns a Text of at most [NameWidth] columns of a terminal (TestLongNames).
//   - [Table] keeps its columns straight, whatever its cells are (TestTable).
//   - [Writer] passes nothing else but line breaks, whatever a caller has forgotten (TestWriterAcrossWrites).
//   - [JSON] loses nothing: a program reads the same values (TestJSONKeepsItsValues).
//
// # Not guaranteed
//
//   - Two names that look alike may still be different: letters of several scripts have the same shape.
package printable

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

const (
	// NameWidth is how many columns of a terminal a name takes at most.
	NameWidth = 40
	// maxMarks is how many combining marks one letter keeps. No language needs more; a flood of them covers other lines.
	maxMarks = 4
	ellipsis = "…"
)

// Text returns s as one line that does nothing to a terminal.
func Text(s string) string { return clean(s, false) }

// Lines is Text, but keeps line breaks.
func Lines(s string) string { return clean(s, true) }

// Name returns a name as Text, cut to NameWidth.
func Name(s string) string { return Cut(s, NameWidth) }

// Cut returns s as Text of at most width columns. A text that was cut ends with an ellipsis.
func Cut(s string, width int) string {
	// A column needs a few bytes, and a flood of marks many: what is far behind the cut needn't be looked at.
	if most := (width + 1) * (maxMarks + 2) * utf8.UTFMax; len(s) > most {
		s = s[:most] + ellipsis
	}
	s = Text(s)
	if Width(s) <= width {
		return s
	}
	var kept strings.Builder
	used, state := 0, -1
	for s != "" {
		var cluster string
		var columns int
		cluster, s, columns, state = uniseg.FirstGraphemeClusterInString(s, state)
		if used+columns > width-1 {
			break
		}
		kept.WriteString(cluster)
		used += columns
	}
	return kept.String() + ellipsis
}

// Width returns how many columns of a terminal a text takes.
func Width(s string) int { return uniseg.StringWidth(s) }

// Visible reports whether a character shows, and does nothing else.
func Visible(r rune) bool {
	return unicode.IsGraphic(r) && !unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

func clean(s string, lines bool) string {
	f := filter{lines: lines}
	return string(f.append(make([]byte, 0, len(s)), s))
}

// filter replaces characters one after the other.
type filter struct {
	lines bool // keep line breaks
	marks int  // combining marks since the last letter
}

// append appends what is shown of s.
func (f *filter) append(to []byte, s string) []byte {
	for _, r := range s {
		if shown, keep := f.next(r); keep {
			to = utf8.AppendRune(to, shown)
		}
	}
	return to
}

// next returns what is shown for the next character, and whether anything is.
func (f *filter) next(r rune) (shown rune, keep bool) {
	switch {
	case r == '\n' && f.lines:
	case !Visible(r):
		r = unicode.ReplacementChar
	case unicode.IsMark(r):
		f.marks++
		return r, f.marks <= maxMarks
	}
	f.marks = 0
	return r, true
}
