package ops

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"sluice/consumers/badges"
	"sluice/shared/operate"
)

// A repair of badges takes back no more than was allowed, nor than was named. Fails if it goes on.
func TestRepairOfBadgesIsBounded(t *testing.T) {
	settings := badges.DefaultSettings()
	settings.AchievementTable = "Achievements"
	book, err := settings.ReadRules("rules.yaml", []byte(worldRules))
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
		report := operate.Report{Title: c.Title(), Held: test.held}
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
