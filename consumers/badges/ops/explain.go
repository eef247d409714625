package ops

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"sluice/consumers/badges/internal/awards"
	"sluice/consumers/badges/rule"
)

// What a step of an explanation is.
const (
	Has     = "has"     // the player has it
	Taken   = "revoked" // it was taken back
	Lacking = "missing" // more plays are needed
	Coming  = "earned"  // it is earned, and not stored yet
)

// Explanation is why a player has a badge, or what is missing.
type Explanation struct {
	Player string `json:"player"`
	Badge  string `json:"badge"`
	Title  string `json:"title"`
	Rule   string `json:"rule"`
	Hidden bool   `json:"hidden,omitempty"`
	Steps  []Step `json:"steps"`
	// Days are those of the longest run, or of the busiest days in a row.
	Days []string `json:"days,omitempty"`
	// Values are those that were seen, of a rule that tells them apart.
	Values []string `json:"values,omitempty"`
	// Lacks are the badges that are missing for a badge of several.
	Lacks []string `json:"lacks,omitempty"`
}

// Step is one level, or one of several times, that a player has a badge or hasn't.
type Step struct {
	Level  string `json:"level,omitempty"`
	Of     string `json:"of,omitempty"`
	Status string `json:"status"`
	// Of what the player has:
	EarnedAt  string `json:"earnedAt,omitempty"`
	AwardedAt string `json:"awardedAt,omitempty"`
	ToldAt    string `json:"toldAt,omitempty"`
	Untold    bool   `json:"untold,omitempty"` // the notice has yet to be sent
	RevokedAt string `json:"revokedAt,omitempty"`
	// Kept: the plays earn it no more, and the rule takes nothing back.
	Kept bool `json:"kept,omitempty"`
	// Of what is missing:
	Have *decimal.Decimal `json:"have,omitempty"`
	Need *decimal.Decimal `json:"need,omitempty"`
}

// Explain tells why a player has a badge or what is missing.
func (r *Reader) Explain(ctx context.Context, player, badge, language string) (Explanation, error) {
	one := r.Book.Rule(badge)
	if one == nil {
		var names []string
		for _, known := range r.Book.Rules {
			names = append(names, known.Name)
		}
		return Explanation{}, fmt.Errorf("there is no badge %q; there are: %s", badge, strings.Join(names, ", "))
	}
	state, stored, err := r.read(ctx, player)
	if err != nil {
		return Explanation{}, err
	}
	if len(state)+len(stored) == 0 {
		return Explanation{}, &UnknownPlayerError{player}
	}
	e := Explanation{Player: player, Badge: badge, Title: rule.InLanguage(one.Title, language), Rule: one.String(), Hidden: one.Hidden, Steps: []Step{}, Values: one.Values(state), Days: one.Days(state, r.today())}
	have := awards.Held(stored)
	e.Lacks = one.Lacks(have)
	earned := one.Earned(state, r.today())
	if one.Kind == rule.All && len(e.Lacks) == 0 {
		earned = []rule.Award{{Badge: badge}}
	}
	for _, a := range stored {
		if a.Award.Badge != badge {
			continue
		}
		s := Step{Level: a.Award.Level, Of: a.Award.Of, Status: Has, EarnedAt: a.EarnedAt, AwardedAt: a.AwardedAt, ToldAt: a.ToldAt, Untold: a.Pending != "", RevokedAt: a.RevokedAt}
		if a.RevokedAt != "" {
			s.Status = Taken
		}
		s.Kept = s.Status == Has && one.Kind != rule.Item && !rule.Has(earned, a.Award)
		e.Steps = append(e.Steps, s)
	}
	for _, a := range earned {
		if !slices.ContainsFunc(stored, func(s *awards.Achievement) bool { return s.Award.Key() == a.Key() }) {
			e.Steps = append(e.Steps, Step{Level: a.Level, Of: a.Of, Status: Coming, EarnedAt: a.On})
			have = append(have, a)
		}
	}
	for _, next := range r.lacking(one, state, have) {
		status := Lacking
		if !next.Have.LessThan(next.Need) { // it was taken back, and is earned again
			status = Coming
		}
		e.Steps = append(e.Steps, Step{Level: next.Level, Status: status, Have: &next.Have, Need: &next.Need})
	}
	return e, nil
}

// lacking returns what of a rule the player hasn't: all levels, or the next of several
// times.
func (r *Reader) lacking(one *rule.Rule, state rule.State, have []rule.Award) []Next {
	var all []Next
	for {
		next, ok := r.next(one, state, have, "")
		if !ok || one.Kind == rule.Item && slices.ContainsFunc(have, func(a rule.Award) bool { return a.Badge == one.Name }) {
			return all
		}
		all = append(all, next)
		if one.Repeat > 1 {
			return all
		}
		have = append(have, rule.Award{Badge: one.Name, Level: next.Level})
	}
}
