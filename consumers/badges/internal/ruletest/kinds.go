package ruletest

import "fmt"

// Kinds has the kinds of rules that look at plays. Who adds a kind adds it here.
var Kinds = []Kind{
	{
		Name: "first",
		Rules: map[string]string{
			"first: {}":           "the first play",
			"first: {each: Game}": "the first play with each Game",
		},
		States: []State{
			{"first: {each: Game}", map[string]int{"each#Game#a#b": 1, "each#Game#": 1, "each#Game#c": 0}, "", []string{"a##a#b"}},
		},
		Faults: map[string]string{`first: {each: "a#b"}`: `60: first: each: attribute "a#b" can't be told apart by: its name has #, { or }`},
		Simulated: []Simulated{
			{Name: "first", Rule: "first: {}", Earns: func(plays []Play) []string { return levels(len(plays), single(1)) }},
			{Name: "nine", Rule: "first: {}", Where: "Score: {is: 9}", Earns: func(plays []Play) []string { return levels(sum(plays, nine)[""], single(1)) }},
			{Name: "game", Rule: "first: {each: Game}", Earns: func(plays []Play) []string { return each(sum(plays, Play.game), 1) }},
		},
	},
	{
		Name: "count",
		Rules: map[string]string{
			"count: {plays: {a: 2, b: 3}}":                  "2 plays: a, 3: b",
			"count: {plays: 2, repeat: 3}":                  "2 plays; up to 3 times",
			"count: {plays: 2, within: week, repeat: each}": "2 plays; within a week, once in each",
			"count: {plays: 2, within: day}":                "2 plays; within a day",
		},
		States: []State{
			{"count: {plays: {a: 2, b: 3}}", map[string]int{"total": 2}, "", []string{"a#a"}},
			{"count: {plays: 2, within: week, repeat: each}", map[string]int{"week#2024-W01": 2, "week#2024-W02": 1, "week#2024-W03": 3}, "", []string{"a##2024-W01", "a##2024-W03"}},
			{"count: {plays: 2, within: month}", map[string]int{"month#2024-01": 1, "month#2024-02": 2, "total": 3}, "", []string{"a"}},
		},
		Faults: map[string]string{
			"count: {plays: {one: 1, uno: 1}, repeat: 2}": "70: count: plays: two levels have the same name or need the same\n" +
				"87: count: repeat: a badge with levels can't be repeated",
			"count: {plays: 2, within: week, repeat: 3}": "86: count: repeat must be each, since it is within a week: once in each",
		},
		Simulated: []Simulated{
			{Name: "count", Rule: "count: {plays: {few: 3, many: 7}}", Earns: func(plays []Play) []string { return levels(len(plays), map[string]int{"few": 3, "many": 7}) }},
			{Name: "week", Rule: "count: {plays: 4, within: week, repeat: each}", Earns: func(plays []Play) []string { return each(sum(plays, Play.week), 4) }},
		},
	},
	{
		Name: "total",
		Rules: map[string]string{
			"total: {of: Score, reaches: {a: 2.5, b: 4}}":     "2.5 of Score in all: a, 4: b",
			"total: {of: Score, reaches: 2.5, within: month}": "2.5 of Score in all; within a month",
			"total: {of: Score, reaches: 2.5, repeat: 5}":     "2.5 of Score in all; up to 5 times",
		},
		States: []State{
			{"total: {of: Score, reaches: 2.5, repeat: 3}", map[string]int{"total": 5}, "", []string{"a##1", "a##2"}},
			{"total: {of: Score, reaches: 2.5, repeat: 3}", map[string]int{"total": 50}, "", []string{"a##1", "a##2", "a##3"}},
		},
		Faults: map[string]string{
			"total: {of: Score, reaches: -1, within: year}": `74: total: reaches must be a number above 0, not "-1"` + "\n" +
				`86: total: within must be day, week or month, not "year"; for any days in a row there is window`,
		},
		Simulated: []Simulated{
			{Name: "points", Rule: "total: {of: Score, reaches: 10, repeat: 3}", Earns: func(plays []Play) []string {
				tenths := sum(plays, Play.tenths)[""]
				return each(map[string]int{"1": tenths, "2": tenths - 100, "3": tenths - 200}, 100)
			}},
			{Name: "day", Rule: "total: {of: Score, reaches: 18, within: day}", Earns: func(plays []Play) []string {
				return levels(most(sum(plays, Play.tenthsOfDay)), single(180))
			}},
		},
	},
	{
		Name:  "streak",
		Rules: map[string]string{"streak: {days: {a: 2, b: 3}, grace: 1}": "2 days in a row: a, 3: b; 1 more in between may be missed", "streak: {days: 10}": "10 days in a row"},
		States: []State{
			{"streak: {days: {a: 2, b: 4}}", days(1, 2, 4, 5, 6), "", []string{"a#a on 2024-01-02"}},
			{"streak: {days: {a: 2, b: 4}, grace: 1}", days(1, 2, 4, 5, 6), "", []string{"a#a on 2024-01-02", "a#b on 2024-01-05"}},
			{"streak: {days: 4, grace: 1}", days(1, 3, 5, 6, 7), "", []string{"a on 2024-01-07"}},
			{"streak: {days: 5, grace: 1}", days(1, 3, 5, 6, 7), "", []string{}},
			{"streak: {days: 2}", days(30, 31), "2024-01-30", []string{}},
			{"streak: {days: 2}", without(days(1, 3), 2), "", []string{}},
		},
		Faults: map[string]string{
			"streak: {days: {long: 4000, half: 0.5}, grace: x}": "62: streak: days: 4000 are too many; a streak has at most 366\n" +
				`80: streak: days: half must be a whole number above 0, not "0.5"` + "\n" +
				`93: streak: grace must be a whole number from 0 to 366, not "x"`,
		},
		OfDays: func(need, n int) (string, func(map[int]int) int) {
			return fmt.Sprintf("streak: {days: %d, grace: %d}", need, n/2), longestStreak(n / 2)
		},
		Simulated: []Simulated{{Name: "streak", Rule: "streak: {days: {two: 2, five: 5}, grace: 1}", Earns: func(plays []Play) []string {
			return levels(longestStreak(1)(played(plays)), map[string]int{"two": 2, "five": 5})
		}}},
	},
	{
		Name:  "window",
		Rules: map[string]string{"window: {days: 3, plays: {a: 2, b: 4}}": "2 plays within 3 days: a, 4: b"},
		States: []State{
			{"window: {days: 2, plays: 3}", days(1, 3, 3, 4), "", []string{"a on 2024-01-04"}},
			{"window: {days: 2, plays: 3}", days(1, 2, 4, 5), "", []string{}},
		},
		Faults: map[string]string{"window: {days: 0, plays: 2}": `61: window: days must be a whole number from 1 to 366, not "0"`},
		OfDays: func(need, n int) (string, func(map[int]int) int) {
			return fmt.Sprintf("window: {days: %d, plays: %d}", n+1, need), busiestWindow(n + 1)
		},
		Simulated: []Simulated{{Name: "window", Rule: "window: {days: 2, plays: 4}", Earns: func(plays []Play) []string {
			return levels(busiestWindow(2)(played(plays)), single(4))
		}}},
	},
	{
		Name:  "comeback",
		Rules: map[string]string{"comeback: {days: {a: 1, b: 3}}": "back after 1 days without a play: a, 3: b; revoke; quiet"},
		States: []State{
			{"comeback: {days: {a: 2, b: 4}}", days(1, 2, 5, 9), "", []string{"a#a on 2024-01-05"}},
			{"comeback: {days: {a: 2, b: 4}}", days(1, 2, 5, 9, 14), "", []string{"a#a on 2024-01-05", "a#b on 2024-01-14"}},
			{"comeback: {days: 4}", days(9, 14), "2024-01-13", []string{}},
			{"comeback: {days: 4}", without(days(1, 6), 4), "", []string{"a on 2024-01-06"}},
			{"comeback: {days: 1}", days(9), "", []string{}},
		},
		Faults: map[string]string{
			"comeback: {days: 0.5, after: 3}": `63: comeback: days must be a whole number above 0, not "0.5"` + "\n" + `68: comeback: unknown key "after"; there are: days`,
		},
		OfDays: func(need, _ int) (string, func(map[int]int) int) {
			return fmt.Sprintf("comeback: {days: %d}", need), longestPause
		},
		Simulated: []Simulated{{Name: "back", Rule: "comeback: {days: 2}", Untold: true, Earns: func(plays []Play) []string {
			return levels(longestPause(played(plays)), single(2))
		}}},
	},
	{
		Name:  "distinct",
		Rules: map[string]string{"distinct: {of: Game, values: {a: 2, b: 3}}": "2 different values of Game: a, 3: b"},
		States: []State{
			{"distinct: {of: Game, values: 2}", map[string]int{"each#Game#go": 1, "each#Game#": 4, "each#Gamer#x": 1}, "", []string{}},
			{"distinct: {of: Game, values: 2}", map[string]int{"each#Game#go": 1, "each#Game# ": 4}, "", []string{"a"}},
		},
		Faults: map[string]string{"distinct: {values: {}}": "57: distinct: of is missing\n65: distinct: values has no levels"},
		Simulated: []Simulated{{Name: "games", Rule: "distinct: {of: Game, values: {two: 2, three: 3}}", Earns: func(plays []Play) []string {
			return levels(len(sum(plays, Play.game)), map[string]int{"two": 2, "three": 3})
		}}},
	},
}

// longestStreak returns the most days with plays of any stretch that misses at most grace days.
func longestStreak(grace int) func(map[int]int) int {
	return longest(func(s stretch) (int, bool) { return s.played, s.days-s.played <= grace })
}

// busiestWindow returns the most plays of any stretch of so many days.
func busiestWindow(days int) func(map[int]int) int {
	return longest(func(s stretch) (int, bool) { return s.plays, s.days <= days })
}

// longestPause returns the most days between two plays with none in between.
var longestPause = longest(func(s stretch) (int, bool) { return s.days - 2, s.played == 2 })
