package awards

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/consumers/badges/internal/notify"
	"sluice/consumers/badges/internal/topictest"
	"sluice/consumers/badges/rule"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/change"
	"sluice/shared/consumertest"
)

func TestMain(m *testing.M) { servertest.Main(m) }

// item is the change that makes an item with a name.
func item(t *testing.T, name string) *change.Change {
	t.Helper()
	c, err := change.FromItem("Pets", []string{"name"}, map[string]types.AttributeValue{"name": text(name)}, consumertest.Arrival)
	if err != nil {
		t.Fatal(err)
	}
	return c
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
	subscriber := topictest.New(t, servertest.Ministack(t), "badges")
	topic := &notify.Topic{SNS: subscriber.SNS, ARN: subscriber.ARN}
	r := &rule.Rule{Name: "games", EventType: "NEW", Title: map[string]string{"en": "t"}, Text: map[string]string{"en": "{of}{name}"}}
	var notices []notify.Notice
	texts := oddTexts()
	for _, odd := range texts {
		a := &Achievement{Player: odd, Award: rule.Award{Badge: "games", Of: odd}, EventType: r.EventType}
		var err error
		if a.Pending, err = compose(r, a, "en", item(t, odd)); err != nil {
			t.Fatal(err)
		}
		notices = append(notices, a.notice())
	}
	for i, err := range topic.Publish(t.Context(), notices) {
		if err != nil {
			t.Fatalf("%q: %v", texts[i], err)
		}
	}
	for _, batch := range subscriber.Line.Batches() {
		for _, e := range batch {
			for name, text := range map[string]string{"message": e.Message, "userId": e.Attributes["userId"]} {
				if i := strings.IndexFunc(text, func(r rune) bool { return !topictest.Deliverable(r) }); i >= 0 {
					t.Errorf("%s %q has %q", name, text, text[i:])
				}
			}
		}
	}
	players := map[string]string{} // by attribute
	for _, m := range subscriber.Received(t) {
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
		if players[attribute] = message.UserID; message.UserID != topictest.Unescape(attribute) {
			t.Errorf("the attribute of %q is %q", message.UserID, attribute)
		}
	}
	if len(players) != len(texts) {
		t.Errorf("%d notices came, want %d", len(players), len(texts))
	}
}
