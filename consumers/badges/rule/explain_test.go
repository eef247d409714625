package rule

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Each kind says in a line what it asks for.
func TestKindsSayWhatTheyAsk(t *testing.T) {
	for _, k := range kindsOfPlays(t) {
		for rule, want := range k.Rules {
			if got := one(t, rule).String(); got != want {
				t.Errorf("%s says %q, want %q", rule, got, want)
			}
		}
	}
}

// A rule's line has its conditions and flags, too.
func TestString(t *testing.T) {
	b := parse(t, `  - {name: a, title: {en: t}, text: {en: x}, first: {}}
  - {name: b, title: {en: t}, text: {en: x}, first: {each: Game}, where: {Game: {exists: true}, Kind: solo}}
  - {name: c, title: {en: t}, text: {en: x}, hidden: true, revoke: true, quiet: true, count: {plays: {few: 3, many: 7}, within: week, repeat: each}}
  - {name: d, title: {en: t}, text: {en: x}, where: {Score: {atLeast: 9}}, total: {of: Score, reaches: 100, repeat: 5}}
  - {name: h, title: {en: t}, text: {en: x}, all: [a, "c#few"]}
  - {name: i, title: {en: t}, text: {en: x}, item: {table: Pets, player: userId, each: SK}}
  - {name: j, title: {en: t}, text: {en: x}, item: {table: Revenue, player: Customer, each: Customer, where: {Total: {atLeast: 1000}, Open: true}}}
  - {name: k, title: {en: t}, text: {en: x}, from: plays, where: {Score: {is: 9}}, first: {}}
`)
	var got []string
	for _, r := range b.Rules {
		got = append(got, r.String())
	}
	want := []string{
		"the first play",
		`the first play with each Game; if Game is any text or number; if Kind is the text "solo"`,
		"3 plays: few, 7: many; within a week, once in each; hidden; revoke; quiet",
		"100 of Score in all; if Score is a number of at least 9; up to 5 times",
		"all of a, c#few",
		"each item of Pets",
		"each item of Revenue; if Total is a number of at least 1000; if Open is the boolean true",
		"the first play; from plays; if Score is the number 9",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

// The days that are shown for a streak or window are as many, and hold as many plays, as
// count for it.
func TestDaysShown(t *testing.T) {
	streak := one(t, "streak: {days: 300, grace: 1}")
	window := one(t, "window: {days: 4, plays: 300}")
	rapid.Check(t, func(t *rapid.T) {
		plays := rapid.MapOf(rapid.IntRange(1, 31), rapid.IntRange(1, 5)).Draw(t, "plays")
		run := streak.Days(played(streak, plays), "")
		if have := streak.Progress(played(streak, plays), "").Have; have.IntPart() != int64(len(run)) {
			t.Errorf("%d days are shown for a run of %s", len(run), have)
		}
		for i := 1; i < len(run); i++ {
			if run[i-1] >= run[i] {
				t.Errorf("days %q", run)
			}
		}
		if len(run) > 0 {
			if first, _ := dayOf(run[0]); labelOf(first+len(run)) < run[len(run)-1] {
				t.Errorf("days %q miss more than one", run)
			}
		}
		sum := 0
		for _, label := range window.Days(played(window, plays), "") {
			n, _ := dayOf(label)
			first, _ := dayOf("2024-01-01")
			sum += plays[n-first+1]
		}
		if have := window.Progress(played(window, plays), "").Have; have.IntPart() != int64(sum) {
			t.Errorf("the days that are shown have %d plays, the busiest %s", sum, have)
		}
	})
}

// What an All lacks are the badges and levels that a player hasn't.
func TestLacks(t *testing.T) {
	b := parse(t, `  - {name: a, title: {en: t}, text: {en: x}, first: {}}
  - {name: c, title: {en: t, de: u}, text: {en: x, de: y}, count: {plays: {few: 3, many: 7}}}
  - {name: h, title: {en: t}, text: {en: x}, all: [a, "c#many", c]}
`)
	if got, want := b.Rule("h").Lacks([]Award{{Badge: "c", Level: "few"}}), []string{"a", "c#many"}; !slices.Equal(got, want) {
		t.Errorf("lacks %q, want %q", got, want)
	}
	if got, want := b.Languages(), []string{"de", "en"}; !slices.Equal(got, want) {
		t.Errorf("languages %q, want %q", got, want)
	}
}
