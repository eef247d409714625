package badges

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"sluice/consumers/badges/rule"
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

// noticeMaker makes messages.
type noticeMaker struct {
	language string // of the title and text
}

// of returns the message that tells an award, as JSON. value returns an attribute's text
// for rules of kind item; nil for all others.
func (m noticeMaker) of(r *rule.Rule, a *Achievement, value func(name string) (string, error)) (string, error) {
	message := Message{
		ID: noticeID(a.Player, a.Award), EventType: r.EventType, UserID: a.Player, Badge: a.Award.Badge, Level: a.Award.Level, Of: a.Award.Of,
		Title: inLanguage(r.Title, m.language), Texts: map[string]string{}, EarnedAt: a.EarnedAt,
	}
	for language, text := range r.Text {
		filled, err := fill(text, a.Award, value)
		if err != nil {
			return "", fmt.Errorf("the text of badge %s: %w", r.Name, err)
		}
		message.Texts[language] = filled
	}
	message.Text = inLanguage(message.Texts, m.language)
	var body bytes.Buffer
	out := json.NewEncoder(&body)
	out.SetEscapeHTML(false) // it's no web page
	if err := out.Encode(message); err != nil {
		return "", fmt.Errorf("write the message of badge %s: %w", r.Name, err)
	}
	return strings.TrimSpace(body.String()), nil
}

// fill puts values in the place of a text's placeholders.
func fill(text string, a rule.Award, value func(name string) (string, error)) (string, error) {
	var fault error
	filled := rule.Placeholder.ReplaceAllStringFunc(text, func(placeholder string) string {
		name := strings.Trim(placeholder, "{}")
		switch {
		case name == "level":
			return a.Level
		case name == "of":
			return a.Of
		case value == nil:
			return placeholder
		}
		text, err := value(name)
		if err != nil {
			fault = err
		}
		return text
	})
	return filled, fault
}

// inLanguage returns the text in a language, or in the first there is.
func inLanguage(texts map[string]string, language string) string {
	if text, ok := texts[language]; ok {
		return text
	}
	first := ""
	for other := range texts {
		if first == "" || other < first {
			first = other
		}
	}
	return texts[first]
}

// noticeID is the stable id of an award's notice.
func noticeID(player string, a rule.Award) string {
	const bytes = 16
	hash := sha256.Sum256([]byte(fmt.Sprintf("%d:%s/%s", len(player), player, a.Key())))
	return hex.EncodeToString(hash[:bytes])
}

// notice is what the topic gets of an award that has yet to be told.
func (a *Achievement) notice() Notice {
	return Notice{
		ID: noticeID(a.Player, a.Award), Body: []byte(escape(a.Pending, isUnsafe)),
		User: a.Player, Badge: a.Award.Badge, Level: a.Award.Level, EventType: a.EventType,
	}
}
