package notify

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf16"
)

// SNS takes characters that it can't deliver. SQS documents which characters a message may
// have, and noncharacters aren't among them:
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
// A message whose attribute has a tab is dropped on its way to a queue, after SNS has
// confirmed it: https://github.com/aws/aws-sdk-java-v2/issues/5828

// isUnsafe reports whether a character may keep a message from being delivered: it is a
// control character or a noncharacter.
func isUnsafe(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Noncharacter_Code_Point, r)
}

// Escape writes undeliverable characters as JSON does, like \u0009. In a JSON text that
// changes no value.
func Escape(text string) string {
	if !strings.ContainsFunc(text, isUnsafe) {
		return text
	}
	var out strings.Builder
	for _, r := range text {
		if !isUnsafe(r) {
			out.WriteRune(r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			fmt.Fprintf(&out, `\u%04x`, unit)
		}
	}
	return out.String()
}

// escaped matches what looks like an escaped character in the text itself.
var escaped = regexp.MustCompile(`\\(u[0-9a-fA-F]{4})`)

// attributeText returns a text that any subscription delivers as a message attribute. Two
// texts never become the same: a backslash that would look like an escaped character is
// escaped too. All other texts stay as they are.
func attributeText(text string) string { return Escape(escaped.ReplaceAllString(text, `\u005c$1`)) }
