package badges

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"pgregory.net/rapid"

	"sluice/consumers/badges/rule"
	"sluice/shared/consumer"
)

// deliverable reports whether a message may have the character, by SQS's documentation and
// without control characters: it says the same as isUnsafe in other words.
func deliverable(r rune) bool {
	return r >= ' ' && r <= '~' || r >= 0xa0 && r <= 0xfdcf || r >= 0xfdf0 && r <= 0xfffd || r >= 0x10000 && r&0xfffe != 0xfffe
}

// oddTexts are those of all control characters and noncharacters, and of their neighbours.
func oddTexts() []string {
	var all []string
	for r := rune(0); r <= utf8.MaxRune; r++ {
		near := r < 0x100 || r >= 0x2028 && r <= 0x2029 || r >= 0xfdcf && r <= 0xfdf1 || r&0xffff >= 0xfff8 || r&0xffff < 2 && r > 0xffff || r == 0xd7ff || r == 0xe000 || r == 0xfeff
		if near && utf8.ValidRune(r) {
			all = append(all, fmt.Sprintf("a%cb", r))
		}
	}
	return append(all, `a\u0009b`, `a\U0009b`, `a\\u0009b`, "a\\\tb", `a\u005cu0009b`, `CORP\ann`, `\u00e9`, `"<&'`, "😀", "e\u0301")
}

// TestAnyTextIsDelivered publishes notices with odd characters in the player's name, in the
// value that the badge is for and in the text. Each comes to the subscriber as it is, no
// character on the wire is one that SNS may drop a message for, and no two players have the
// same attribute.
func TestAnyTextIsDelivered(t *testing.T) {
	topic := newTopic(t, "badges")
	r := &rule.Rule{Name: "games", EventType: "NEW", Title: map[string]string{"en": "t"}, Text: map[string]string{"en": "{of}{name}"}}
	var notices []Notice
	texts := oddTexts()
	for _, odd := range texts {
		a := &Achievement{Player: odd, Award: rule.Award{Badge: "games", Of: odd}, EventType: r.EventType}
		var err error
		if a.Pending, err = (noticeMaker{"en"}).of(r, a, func(string) (string, error) { return odd, nil }); err != nil {
			t.Fatal(err)
		}
		notices = append(notices, a.notice())
	}
	for i, err := range topic.Publish(t.Context(), notices) {
		if err != nil {
			t.Fatalf("%q: %v", texts[i], err)
		}
	}
	for _, batch := range topic.line.seen() {
		for _, e := range batch {
			for name, text := range map[string]string{"message": e.message, "userId": e.attributes["userId"]} {
				if i := strings.IndexFunc(text, func(r rune) bool { return !deliverable(r) }); i >= 0 {
					t.Errorf("%s %q has %q", name, text, text[i:])
				}
			}
		}
	}
	players := map[string]string{} // by attribute
	for _, m := range topic.received(t) {
		var message Message
		if err := json.Unmarshal([]byte(*m.Body), &message); err != nil {
			t.Fatal(err)
		}
		if message.Of != message.UserID || message.Text != message.UserID+message.UserID {
			t.Errorf("%+v", message)
		}
		attribute := *m.MessageAttributes["userId"].StringValue
		if other, taken := players[attribute]; taken {
			t.Errorf("%q and %q have the attribute %q", other, message.UserID, attribute)
		}
		if players[attribute] = message.UserID; message.UserID != unescaped(attribute) {
			t.Errorf("the attribute of %q is %q", message.UserID, attribute)
		}
	}
	if len(players) != len(texts) {
		t.Errorf("%d notices came, want %d", len(players), len(texts))
	}
}

var unit = regexp.MustCompile(`(\\u[0-9a-f]{4})+`)

// unescaped reads an attribute as a subscriber does.
func unescaped(attribute string) string {
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

// TestAttributeText holds for any text: what stands in the attribute can be delivered, reads
// back as the text, and is the text itself unless it has an odd character.
func TestAttributeText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.OneOf(rapid.Rune(), rapid.SampledFrom([]rune("\\uU09af\t\x1b\uffff\U0001fffe")))).Draw(t, "text")
		got := attributeText(text)
		if i := strings.IndexFunc(got, func(r rune) bool { return !deliverable(r) }); i >= 0 {
			t.Errorf("%q has %q", got, got[i:])
		}
		if unescaped(got) != text {
			t.Errorf("%q reads back as %q, want %q", got, unescaped(got), text)
		}
		if plain := !strings.ContainsFunc(text, isUnsafe) && !escaped.MatchString(text); plain && got != text {
			t.Errorf("%q became %q", text, got)
		}
	})
}

// A notice that no subscriber can get is never marked as told: its change is a dead letter,
// and those of the player's other badges are told.
func TestRefusedNotice(t *testing.T) {
	w := newWorld(t)
	w.line.refuse = func(entries []entry) string {
		for _, e := range entries {
			if strings.Contains(e.message, "Rex") {
				return "InvalidParameter"
			}
		}
		return ""
	}
	b := w.function(nil)
	batch := w.parse(w.play("ann", "2025-12-01"), w.pet("Pets", "ann", "PET#1", "Rex"), w.pet("Pets", "ann", "PET#2", "Tom"))
	for range 2 {
		for i, err := range b.ApplyBatch(t.Context(), batch) {
			if rejected := consumer.OutcomeOf(err) == consumer.Rejected; rejected != (i == 1) || consumer.OutcomeOf(err) == consumer.Retry {
				t.Errorf("change %d: %v", i, err)
			}
		}
		w.wants("ann", "first+", "hello##PET#1", "hello##PET#2+")
	}
}
