package notify

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sluice/consumers/badges/internal/topictest"
)

// TestAttributeText holds for any text: what stands in the attribute can be delivered, reads
// back as the text, and is the text itself unless it has an odd character.
func TestAttributeText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.OneOf(rapid.Rune(), rapid.SampledFrom([]rune("\\uU09af\t\x1b\uffff\U0001fffe")))).Draw(t, "text")
		got := attributeText(text)
		if i := strings.IndexFunc(got, func(r rune) bool { return !topictest.Deliverable(r) }); i >= 0 {
			t.Errorf("%q has %q", got, got[i:])
		}
		if topictest.Unescape(got) != text {
			t.Errorf("%q reads back as %q, want %q", got, topictest.Unescape(got), text)
		}
		if plain := !strings.ContainsFunc(text, isUnsafe) && !escaped.MatchString(text); plain && got != text {
			t.Errorf("%q became %q", text, got)
		}
	})
}
