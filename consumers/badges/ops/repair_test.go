package ops

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/consumers/badges"
	"sluice/consumers/badges/internal/topictest"
	"sluice/shared/consumertest/gametest"
	"sluice/shared/operate"
)

// A repair of badges takes back no more than was allowed, nor than was named. Fails if it goes on.
func TestRepairOfBadgesIsBounded(t *testing.T) {
	settings := badges.DefaultSettings()
	settings.AchievementTable = "Achievements"
	book, err := settings.Rules(gametest.With(badges.RulesFile, "rules.yaml", worldRules))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		held, unearned int
		removal        operate.Removal
		text           string // of the refusal
	}{
		{12, 12, operate.Removal{Allowed: true}, "refused: table Achievements would lose 12 of its 12 items"},
		{1000, 11, operate.Removal{Allowed: true}, "repeat the command with --remove-extra=11"},
		{1000, 11, operate.Removal{Allowed: true, Named: 10}, "refused: the plan deletes 11 items, more than the 10 of --remove-extra"},
		{1, 1, operate.Removal{Allowed: true}, "refused: table Achievements would lose 1 of its 1 items"},
		{12, 12, operate.Removal{}, ""}, // they stay
	} {
		c := NewAuditor(nil, nil, settings, book, 1).Comparison(false)
		report := operate.Report{Title: c.Title(), Look: operate.Look{Held: test.held}}
		for range test.unearned {
			report.Differences = append(report.Differences, operate.Difference{What: operate.Extra})
		}
		test.removal.Limit = operate.DefaultLimit
		_, err := operate.Consent{Yes: true, Out: io.Discard, Removal: test.removal}.To(t.Context(), operate.Plan{Steps: c.Steps(report, test.removal.Allowed)})
		if (err == nil) != (test.text == "") || err != nil && !strings.Contains(err.Error(), test.text) {
			t.Errorf("%s: %v, want %q", fmt.Sprint(test), err, test.text)
		}
	}
}

// While the topic is down a repair fails, and says whose notice is still untold; the others are repaired. Fails if somebody is left
// to think that all was repaired.
func TestRepairWhileTheTopicIsDown(t *testing.T) {
	w := newAuditWorld(t)
	w.people()
	w.deliver()
	achievements := w.settings.AchievementTable
	w.change(achievements, award("bob", "first"), "SET Pending = :m, EventType = :e REMOVE ToldAt", map[string]types.AttributeValue{":m": text(`{"id":"again"}`), ":e": text("BADGE_EARNED")})
	w.topic.Line.Refuse = func([]topictest.Entry) string { return "Throttled" }
	c := w.auditor().Comparison(false)
	report, err := operate.Compare(t.Context(), c, operate.Judging{Sleep: func(context.Context, time.Duration) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Repair(t.Context(), report.Differences, false); err == nil || !strings.Contains(err.Error(), "tell first") {
		t.Errorf("the repair's error is %v, want one that names the notice", err)
	}
	for _, d := range report.Differences {
		want := map[string]string{"ann: welcome##PET#rex": "awarded", "bob: first, its notice": "still untold: "}[d.Key]
		if want == "" || !strings.HasPrefix(d.Repair, want) {
			t.Errorf("%s: %s, want %s", d.Key, d.Repair, want)
		}
	}
}
