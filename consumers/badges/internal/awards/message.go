package awards

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"sluice/consumers/badges/rule"
	"sluice/shared/change"
)

// Message is the body of a notice.
type Message struct {
	ID        string            `json:"id"` // the same in each repeat
	EventType string            `json:"eventType"`
	UserID    string            `json:"userId"`
	Badge     string            `json:"badge"`
	Level     string            `json:"level,omitempty"`
	Of        string            `json:"of,omitempty"`
	Title     string            `json:"title"`
	Text      string            `json:"text"`
	Texts     map[string]string `json:"texts"` // by language
	EarnedAt  string            `json:"earnedAt"`
}

// Name is the title with the level, and which of several it is.
func (m Message) Name() string { return rule.FullName(m.Title, m.Level, m.Of) }

// compose returns the message that tells an award, as JSON, with title and text in a language.
// The item is the one that earned it, for rules of kind item; nil for all others.
func compose(r *rule.Rule, a *Achievement, language string, item *change.Change) (string, error) {
	message := Message{
		ID: NoticeID(a.Player, a.Award), EventType: r.EventType, UserID: a.Player, Badge: a.Award.Badge, Level: a.Award.Level, Of: a.Award.Of,
		Title: rule.InLanguage(r.Title, language), Texts: map[string]string{}, EarnedAt: a.EarnedAt,
	}
	for tongue, text := range r.Text {
		filled, err := rule.Fill(text, a.Award, item)
		if err != nil {
			return "", fmt.Errorf("the text of badge %s: %w", r.Name, err)
		}
		message.Texts[tongue] = filled
	}
	message.Text = rule.InLanguage(message.Texts, language)
	var body bytes.Buffer
	out := json.NewEncoder(&body)
	out.SetEscapeHTML(false) // it's no web page
	if err := out.Encode(message); err != nil {
		return "", fmt.Errorf("write the message of badge %s: %w", r.Name, err)
	}
	return strings.TrimSpace(body.String()), nil
}

// NoticeID is the stable id of an award's notice.
func NoticeID(player string, a rule.Award) string {
	const bytes = 16
	hash := sha256.Sum256([]byte(fmt.Sprintf("%d:%s/%s", len(player), player, a.Key())))
	return hex.EncodeToString(hash[:bytes])
}
