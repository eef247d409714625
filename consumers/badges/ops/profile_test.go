package ops

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/consumers/badges"
	"sluice/shared/consumertest/gametest"
)

func (w *auditWorld) reader() *Reader { return NewReader(w.client, w.settings, w.book) }

// shown returns a profile as texts.
func (w *auditWorld) shown(player, language string) (badges, next []string) {
	w.t.Helper()
	p, _, err := w.reader().Profile(w.t.Context(), player, language)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, b := range p.Badges {
		badges = append(badges, b.Name()+": "+b.Text)
	}
	for _, n := range p.Next {
		next = append(next, fmt.Sprintf("%s: %s of %s", n.Name(), n.Have, n.Need))
	}
	return badges, next
}

// A profile has what a player has, the latest first, and what is next, the nearest first;
// a hidden badge shows once it is earned; titles are in the language, or in one that there is.
func TestProfile(t *testing.T) {
	w := newAuditWorld(t)
	w.people()
	w.deliver()
	badges, next := w.shown("bob", "de")
	if want := []string{"Erster: Das erste"}; !slices.Equal(badges, want) {
		t.Errorf("bob has %q, want %q", badges, want)
	}
	if want := []string{"High, ten: 9 of 10", "Regular, bronze: 1 of 3", "Streak, three: 1 of 3", "Busy: 1 of 3", "Games: 0 of 1"}; !slices.Equal(next, want) {
		t.Errorf("next is %q, want %q", next, want)
	}
	badges, next = w.shown("ann", "en")
	if want := []string{
		"Both: x", "High, ten: x", "Games, chess: chess", "Regular, silver: silver", "Busy: x", "Regular, bronze: bronze", "Streak, three: x", "First: The first", "Games, go: go",
	}; !slices.Equal(badges, want) {
		t.Errorf("ann has %q\nwant    %q", badges, want)
	}
	if want := []string{"Streak, week: 4 of 7", "High, forty: 12 of 40"}; !slices.Equal(next, want) {
		t.Errorf("next is %q, want %q", next, want)
	}
	if _, known, err := w.reader().Profile(t.Context(), "nobody", "en"); known || err != nil {
		t.Errorf("nobody is known: %v, %v", known, err)
	}
	if err := w.reader().CheckLanguage("de"); err != nil {
		t.Error(err)
	}
	if err := w.reader().CheckLanguage("fr"); err == nil || !strings.Contains(err.Error(), "there are: de, en") {
		t.Errorf("french: %v", err)
	}
}

// Badges are explained: what was earned when and told when, what is missing, and what
// for; also if plays were corrected since, or the award hasn't been stored yet.
func TestExplain(t *testing.T) {
	w := newAuditWorld(t)
	w.people()
	w.deliver()
	explain := func(player, badge string) string {
		t.Helper()
		e, err := w.reader().Explain(t.Context(), player, badge, "en")
		if err != nil {
			t.Fatal(err)
		}
		var text []string
		for _, s := range e.Steps {
			if s.Status == Lacking {
				text = append(text, fmt.Sprintf("%s%s missing %s of %s", s.Level, s.Of, s.Have, s.Need))
			} else {
				text = append(text, fmt.Sprintf("%s%s %s %s told %t kept %t", s.Level, s.Of, s.Status, s.EarnedAt, s.ToldAt != "", s.Kept))
			}
		}
		return strings.TrimSpace(fmt.Sprint(strings.Join(text, "; "), " ", strings.Join(slices.Concat(e.Days, e.Values, e.Lacks), " ")))
	}
	for _, c := range []struct{ player, badge, want string }{
		{"ann", "regular", "bronze has 2024-01-03T10:00:00Z told true kept false; silver has 2024-01-04T11:00:00Z told true kept false"},
		{"ann", "streak", "three has 2024-01-03 told true kept false; week missing 4 of 7 2024-01-01 2024-01-02 2024-01-03 2024-01-04"},
		{"ann", "busy", " has 2024-01-04 told true kept false 2024-01-03 2024-01-04"},
		{"ann", "games", "chess has 2024-01-04T11:00:00Z told true kept false; go has 2024-01-01T10:00:00Z told true kept false chess go"},
		{"bob", "both", "missing 0 of 2 streak regular#silver"},
		{"bob", "streak", "three missing 1 of 3; week missing 1 of 7 2024-01-01"},
		{"bob", "welcome", "missing 0 of 1"},
	} {
		if got := explain(c.player, c.badge); got != strings.TrimSpace(c.want) {
			t.Errorf("%s of %s: %q\nwant %q", c.badge, c.player, got, c.want)
		}
	}

	total := map[string]types.AttributeValue{"Player": text("ann"), "Of": text("total")}
	w.change(w.settings.StateTable, total, "ADD "+w.book.Rule("regular").Tally()+" :n", map[string]types.AttributeValue{":n": &types.AttributeValueMemberN{Value: "-2"}})
	w.change(w.settings.AchievementTable, award("ann", "high#ten"), "SET RevokedAt = :t", map[string]types.AttributeValue{":t": text("2024-01-05")})
	if got, want := explain("ann", "regular"), "bronze has 2024-01-03T10:00:00Z told true kept false; silver has 2024-01-04T11:00:00Z told true kept true"; got != want {
		t.Errorf("after a correction: %q\nwant %q", got, want)
	}
	if got, want := explain("ann", "high"), "ten revoked 2024-01-04T12:00:00Z told true kept false; ten earned  told false kept false; forty missing 12 of 40"; got != want {
		t.Errorf("after it was taken back: %q\nwant %q", got, want)
	}
	_, err := w.reader().Explain(context.Background(), "nobody", "first", "en")
	if _, unknown := errors.AsType[*UnknownPlayerError](err); !unknown {
		t.Errorf("nobody: %v", err)
	}
	if _, err := w.reader().Explain(t.Context(), "ann", "last", "en"); err == nil || !strings.Contains(err.Error(), `there is no badge "last"; there are: first, games`) {
		t.Errorf("no such badge: %v", err)
	}
}

// What comes next of a repeated badge is the first time that the player hasn't got it, also if
// plays were corrected since, and it is the same on the page and in the explanation.
func TestNextOfARepeatedBadge(t *testing.T) {
	w := newAuditWorld(t)
	book, err := w.settings.Rules(gametest.With(badges.RulesFile, "rules.yaml", worldRules+"  - {name: hundred, title: {en: Hundred}, text: {en: \"{of}\"}, total: {of: Score, reaches: 100, repeat: 4}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	w.book = book
	hundred := func() string {
		t.Helper()
		_, next := w.shown("corr", "en")
		i := slices.IndexFunc(next, func(text string) bool { return strings.HasPrefix(text, "Hundred: ") })
		page := ""
		if i >= 0 {
			page = strings.TrimPrefix(next[i], "Hundred: ")
		}
		e, err := w.reader().Explain(t.Context(), "corr", "hundred", "en")
		if err != nil {
			t.Fatal(err)
		}
		explained := ""
		for _, s := range e.Steps {
			if s.Status == Lacking {
				explained += fmt.Sprintf("%s of %s", s.Have, s.Need)
			}
		}
		if page != explained {
			t.Errorf("the page says %q, the explanation %q", page, explained)
		}
		return page
	}
	w.play("corr", "2024-01-01 10:00:00", "", 300)
	w.deliver()
	if got := hundred(); got != "300 of 400" {
		t.Errorf("%q, want 300 of 400", got)
	}
	w.change(w.settings.StateTable, map[string]types.AttributeValue{"Player": text("corr"), "Of": text("total")},
		"ADD "+book.Rule("hundred").Tally()+" :n", map[string]types.AttributeValue{":n": &types.AttributeValueMemberN{Value: "-270"}})
	if got := hundred(); got != "30 of 400" {
		t.Errorf("after a correction: %q, want 30 of 400", got)
	}
	w.play("corr", "2024-01-01 11:00:00", "", 370)
	w.deliver()
	if got := hundred(); got != "" {
		t.Errorf("when all is earned: %q, want nothing", got)
	}
}
