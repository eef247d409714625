// Package ruletest has examples of each kind of badge rule, with what they earn by the plainest calculation. The tests of
// the rules and of the whole function derive what they need from them.
package ruletest

import (
	"fmt"
	"slices"
	"time"

	"github.com/shopspring/decimal"
)

// Kind is what the tests need to know of a kind of rule. A rule is written as in the file of rules: "count: {plays: 3}".
type Kind struct {
	Name string
	// Rules are rules that plays of twelve days can earn, with the line that says what each asks for. A random history of
	// each must find every award in the way the function does, and more plays must never earn less, or the rule is revoked.
	Rules map[string]string
	// States are states at the borders of the kind, with what they earn.
	States []State
	// Faults are rules with faults, with what the error says of each, after the line's number.
	Faults map[string]string
	// OfDays is needed by a kind whose awards depend on several days. It returns a rule that needs so much, with some n from 0 to 4 in
	// it, and measures plays by day as the rule should.
	OfDays func(need, n int) (rule string, have func(plays map[int]int) int)
	// Simulated are the rules that the simulator delivers random histories to, at least one.
	Simulated []Simulated
}

// State is what is known of a player, with what it earns by a rule of the badge a.
type State struct {
	Rule  string
	Plays map[string]int // by item of the state
	Today string         // empty: all days count
	Want  []string       // keys of the awards, followed by " on " and their day if they have one
}

// Simulated is a rule of the simulator.
type Simulated struct {
	Name, Rule string
	Where      string                      // which plays count; empty: all
	Untold     bool                        // the kind's awards are told to nobody
	Earns      func(plays []Play) []string // what follows the badge's name in the keys of the awards that a player's plays earn
}

// Of returns the kind of this name, and fails with what to add if there is none.
func Of(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, name string) Kind {
	t.Helper()
	i := slices.IndexFunc(Kinds, func(k Kind) bool { return k.Name == name })
	if i < 0 {
		t.Fatalf("kind %q has no examples; add them to Kinds in consumers/badges/internal/ruletest/kinds.go", name)
	}
	k := Kinds[i]
	for field, missing := range map[string]bool{"Rules": len(k.Rules) == 0, "States": len(k.States) == 0, "Faults": len(k.Faults) == 0, "Simulated": len(k.Simulated) == 0} {
		if missing {
			t.Fatalf("kind %q has no %s in consumers/badges/internal/ruletest/kinds.go; add some", name, field)
		}
	}
	return k
}

// Play is one play. An empty Game is none.
type Play struct {
	At    time.Time
	Score decimal.Decimal
	Game  string
}

// What sum adds: how much of a play counts, and for which value.

func (p Play) game() (of string, n int)   { return p.Game, min(len(p.Game), 1) }
func (p Play) tenths() (of string, n int) { return "", int(p.Score.Shift(1).IntPart()) }
func (p Play) tenthsOfDay() (of string, n int) {
	_, n = p.tenths()
	return p.At.Format(time.DateOnly), n
}

func (p Play) week() (of string, n int) {
	year, week := p.At.ISOWeek()
	return fmt.Sprintf("%d-W%d", year, week), 1
}

func nine(p Play) (of string, n int) {
	if p.Score.Equal(decimal.NewFromInt(9)) {
		n = 1
	}
	return "", n
}

// sum adds up what counts of plays, by value. A value of which nothing counts isn't in it.
func sum(plays []Play, counts func(Play) (of string, n int)) map[string]int {
	sums := map[string]int{}
	for _, p := range plays {
		if of, n := counts(p); n > 0 {
			sums[of] += n
		}
	}
	return sums
}

// most returns the largest of some sums.
func most(sums map[string]int) int {
	largest := 0
	for _, n := range sums {
		largest = max(largest, n)
	}
	return largest
}

// single is the need of a badge without levels.
func single(need int) map[string]int { return map[string]int{"": need} }

// levels returns the levels that are reached.
func levels(have int, needs map[string]int) []string {
	var reached []string
	for level, need := range needs {
		switch {
		case have < need:
		case level == "":
			reached = append(reached, "")
		default:
			reached = append(reached, "#"+level)
		}
	}
	return reached
}

// each returns an award for each value whose sum reaches need.
func each(sums map[string]int, need int) []string {
	var reached []string
	for of, n := range sums {
		if n >= need {
			reached = append(reached, "##"+of)
		}
	}
	return reached
}

// played returns the plays by day of a month.
func played(plays []Play) map[int]int {
	days := map[int]int{}
	for _, p := range plays {
		days[p.At.Day()]++
	}
	return days
}

// stretch is some days in a row that begin and end with plays.
type stretch struct{ days, played, plays int }

// longest measures plays by day: it returns the most that any stretch has that counts, found among all.
func longest(measure func(stretch) (have int, counts bool)) func(plays map[int]int) int {
	return func(plays map[int]int) int {
		found := 0
		for first := range plays {
			for last := range plays {
				s := stretch{days: last - first + 1}
				for day := first; day <= last; day++ {
					if plays[day] > 0 {
						s.played++
						s.plays += plays[day]
					}
				}
				if have, counts := measure(s); s.days > 0 && plays[first] > 0 && plays[last] > 0 && counts {
					found = max(found, have)
				}
			}
		}
		return found
	}
}

// days are the items of a state with one play on each of these days of January 2024.
func days(days ...int) map[string]int {
	plays := map[string]int{}
	for _, day := range days {
		plays[fmt.Sprintf("day#2024-01-%02d", day)]++
	}
	return plays
}

// without has less than no plays on a day.
func without(plays map[string]int, day int) map[string]int {
	plays[fmt.Sprintf("day#2024-01-%02d", day)] = -1
	return plays
}
