package rule

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"sluice/consumers/badges/internal/ruletest"
	"sluice/shared/declaration/declarationtest"
)

// Each faulty file with every error that it should have. Fails if a check is left out,
// stops at the first fault, or names another place.
func TestFaultsOfAFile(t *testing.T) {
	declarationtest.Faults(t, 4, func(name string, text []byte) error {
		_, err := Parse(name, text, map[string]string{"SCORE_TABLE": "Scores"}, "State")
		if err == nil {
			return nil
		}
		return errors.New(strings.ReplaceAll(err.Error(), strings.Join(Kinds(), ", "), "<all kinds>"))
	})
}

// Each fault of a kind's own keys.
func TestFaultsOfAKind(t *testing.T) {
	for _, k := range kindsOfPlays(t) {
		for rule, want := range k.Faults {
			_, err := parseText(declared(rule))
			if err == nil {
				t.Errorf("%s: no fault found", rule)
			} else if diff := cmp.Diff(want, strings.ReplaceAll(err.Error(), "test.yaml:3:", "")); diff != "" {
				t.Errorf("%s (-want +got):\n%s", rule, diff)
			}
		}
	}
}

func parseText(badges string) (*Book, error) {
	return Parse("test.yaml", []byte("plays: {table: Plays, player: Player, at: At, zone: UTC, earliest: 2000-01-01}\nbadges:\n"+badges), nil, "State")
}

func parse(t testing.TB, badges string) *Book {
	t.Helper()
	b, err := parseText(badges)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// declared declares the badge a by a rule.
func declared(rule string) string {
	return "  - {name: a, title: {en: t}, text: {en: x}, " + rule + "}\n"
}

// one is a rule of this kind.
func one(t testing.TB, kind string) *Rule {
	t.Helper()
	return parse(t, declared(kind)).Rules[0]
}

// kindsOfPlays returns what the tests need of each kind that looks at plays. It fails for a kind that nobody added.
func kindsOfPlays(t testing.TB) []ruletest.Kind {
	t.Helper()
	var all []ruletest.Kind
	for _, k := range kinds {
		if !k.make().looks().none {
			all = append(all, ruletest.Of(t, string(k.name)))
		}
	}
	return all
}

// keys are the awards' keys, with their days.
func keys(awards []Award) []string {
	out := []string{}
	for _, a := range awards {
		key := a.Key()
		if a.On != "" {
			key += " on " + a.On
		}
		out = append(out, key)
	}
	return out
}

func number(n int) decimal.Decimal { return decimal.NewFromInt(int64(n)) }

// played is a state with so many plays on days of January 2024.
func played(r *Rule, plays map[int]int) State {
	s := State{}
	for day, n := range plays {
		s[fmt.Sprintf("day#2024-01-%02d", day)] = map[string]decimal.Decimal{r.Tally(): number(n)}
	}
	return s
}

// What states earn, at the borders of each kind.
func TestEarned(t *testing.T) {
	for _, k := range kindsOfPlays(t) {
		for _, test := range k.States {
			r, state := one(t, test.Rule), State{}
			for of, n := range test.Plays {
				state[of] = map[string]decimal.Decimal{r.Tally(): number(n)}
			}
			if diff := cmp.Diff(test.Want, keys(r.Earned(state, test.Today))); diff != "" {
				t.Errorf("%s of %v (-want +got):\n%s", test.Rule, test.Plays, diff)
			}
		}
	}
}

// Rules of days, against the plainest way to find them: every stretch of days.
func TestDaysAgainstEveryStretch(t *testing.T) {
	for _, k := range kindsOfPlays(t) {
		for example := range k.Rules {
			if r := one(t, example); k.OfDays == nil && r.Spreads() && r.kind.looks().unit == unitDay {
				t.Fatalf("kind %q has no OfDays in consumers/badges/internal/ruletest/kinds.go; add it", k.Name)
			}
		}
		if k.OfDays != nil {
			t.Run(k.Name, func(t *testing.T) {
				rapid.Check(t, func(rt *rapid.T) { checkDays(rt, t, k) })
			})
		}
	}
}

func checkDays(rt *rapid.T, t *testing.T, k ruletest.Kind) {
	need := rapid.IntRange(1, 6).Draw(rt, "need")
	text, have := k.OfDays(need, rapid.IntRange(0, 4).Draw(rt, "n"))
	r, plays := one(t, text), map[int]int{}
	for range rapid.IntRange(0, 14).Draw(rt, "plays") {
		plays[rapid.IntRange(1, 16).Draw(rt, "day")]++
	}
	state, want := played(r, plays), have(plays)
	if got := len(r.Earned(state, "")) == 1; got != (want >= need) {
		rt.Errorf("%v of %v: earned is %v, want %v", r, plays, got, want >= need)
	}
	if p := r.Progress(state, ""); !p.Have.Equal(number(want)) || p.Reached() != (want >= need) {
		rt.Errorf("%v of %v: progress %+v, want %d", r, plays, p, want)
	}
	// The days that are shown have as much as all.
	shown := State{}
	for _, label := range r.Days(state, "") {
		shown[unitDay+ofBox+label] = state[unitDay+ofBox+label]
	}
	if p := r.Progress(shown, ""); !p.Have.Equal(number(want)) {
		rt.Errorf("%v of %v: the days that are shown, %v, have %s, want %d", r, plays, shown, p.Have, want)
	}
	// What may earn an award together with a day is near it.
	for day := range plays {
		near := nearOf(r, state, fmt.Sprintf("day#2024-01-%02d", day))
		if without := played(r, withoutDay(plays, day)); len(r.Earned(without, "")) == 0 && len(r.Earned(near, "")) != len(r.Earned(state, "")) {
			rt.Errorf("%v of %v: what day %d completes isn't near it: %v", r, plays, day, near)
		}
	}
}

// nearOf is the part of a state that the function reads for a changed item.
func nearOf(r *Rule, s State, of string) State {
	from, to := r.Near(of)
	near := State{}
	for _, of := range slices.Sorted(maps.Keys(s)) {
		if of >= from && of <= to && !r.Enough(near) {
			near[of] = s[of]
		}
	}
	return near
}

func withoutDay(plays map[int]int, day int) map[int]int {
	rest := map[int]int{}
	for other, n := range plays {
		if other != day {
			rest[other] = n
		}
	}
	return rest
}

// forExamples runs a check of random plays for each example of each kind.
func forExamples(t *testing.T, check func(rt *rapid.T, r *Rule)) {
	for _, k := range kindsOfPlays(t) {
		for example := range k.Rules {
			t.Run(example, func(t *testing.T) {
				r := one(t, example)
				rapid.Check(t, func(rt *rapid.T) { check(rt, r) })
			})
		}
	}
}

// play adds a random play to a state, and returns the item that it changed.
func play(rt *rapid.T, r *Rule, s State) string {
	of := r.prefix()
	switch l := r.kind.looks(); {
	case l.each != "":
		of += rapid.SampledFrom([]string{"go", "chess", "x#", ""}).Draw(rt, "value")
	case l.unit != "":
		of += fmt.Sprintf("2024-01-%02d", rapid.IntRange(1, 12).Draw(rt, "day"))
	}
	s[of] = map[string]decimal.Decimal{r.tally: s[of][r.tally].Add(number(1))}
	return of
}

// More plays never earn less, or the rule is revoked. Fails for a kind that breaks this, and for a rule that is revoked without need:
// plays that earn less are drawn again until there are some, since one run may draw none.
func TestMorePlaysEarnNoLess(t *testing.T) {
	const most = 50
	rules, undone := map[string]*Rule{}, map[string]bool{}
	check := func(rt *rapid.T, r *Rule) {
		state := State{}
		add := func(what string) []string {
			for range rapid.IntRange(0, 6).Draw(rt, what) {
				play(rt, r, state)
			}
			return keysOf(r.Earned(state, ""))
		}
		rules[r.String()] = r
		before, after := add("plays"), add("more plays")
		for _, key := range before {
			if !slices.Contains(after, key) {
				undone[r.String()] = true
				if !r.Revoke {
					rt.Errorf("%v had %q, and with more plays has %q", r, before, after)
				}
			}
		}
	}
	for range most {
		forExamples(t, check)
		seen := true
		for name, r := range rules {
			seen = seen && undone[name] == r.Revoke
		}
		if seen {
			break
		}
	}
	for name, r := range rules {
		if undone[name] != r.Revoke || undone[name] != r.Quiet {
			t.Errorf("%v is revoked: %v, quiet: %v, but more plays earn less: %v", r, r.Revoke, r.Quiet, undone[name])
		}
	}
}

// Whatever plays earn is found by the part of the state that the function reads after each. Fails for a kind whose
// awards depend on several items if its span is oneItem or too short, and for one whose looks wrongly say presence.
func TestEachPlayFindsWhatItCompletes(t *testing.T) {
	forExamples(t, func(rt *rapid.T, r *Rule) {
		state, found := State{}, map[string]bool{}
		for range rapid.IntRange(0, 12).Draw(rt, "plays") {
			before := maps.Clone(state)
			of := play(rt, r, state)
			had, has := r.Earned(State{of: before[of]}, ""), r.Earned(State{of: state[of]}, "")
			switch moves := r.Moves(before[of], state[of], had, has); {
			case moves && r.Revoke:
				clear(found)
				has = r.Earned(state, "")
			case moves:
				has = r.Earned(nearOf(r, state, of), "")
			default:
				has = nil
			}
			for _, key := range keysOf(has) {
				found[key] = true
			}
		}
		want := keysOf(r.Earned(state, ""))
		slices.Sort(want)
		if got := slices.Sorted(maps.Keys(found)); !slices.Equal(got, want) {
			rt.Errorf("%v of %v: found %q, want %q; see span and looks of its kind", r, state, got, want)
		}
	})
}

func keysOf(awards []Award) []string {
	var keys []string
	for _, a := range awards {
		keys = append(keys, a.Key())
	}
	return keys
}

// Badges that need others, over several steps.
func TestCombine(t *testing.T) {
	b := parse(t, `
  - {name: a, title: {en: t}, text: {en: x}, first: {}}
  - {name: b, title: {en: t}, text: {en: x}, count: {plays: {low: 2, high: 3}}}
  - {name: c, title: {en: t}, text: {en: x}, all: [a, b#high]}
  - {name: d, title: {en: t}, text: {en: x}, all: [c]}
`)
	for _, test := range []struct {
		have []Award
		want []string
	}{
		{[]Award{{Badge: "a"}, {Badge: "b", Level: "low"}}, []string{}},
		{[]Award{{Badge: "a"}, {Badge: "b", Level: "high"}}, []string{"c"}},
		{[]Award{{Badge: "a"}, {Badge: "b", Level: "high"}, {Badge: "c"}}, []string{"d"}},
		{[]Award{{Badge: "c"}, {Badge: "d"}}, []string{}},
	} {
		if diff := cmp.Diff(test.want, keys(b.Combine(test.have))); diff != "" {
			t.Errorf("%v (-want +got):\n%s", keys(test.have), diff)
		}
	}
}

// Rules that count the same share a sum; a rule that is declared otherwise has another.
func TestTallies(t *testing.T) {
	b := parse(t, `
  - {name: a, title: {en: t}, text: {en: x}, where: {Score: {is: 9}, Game: go}, first: {}}
  - {name: b, title: {en: t}, text: {en: x}, where: {Game: go, Score: {is: 9}}, count: {plays: 5}}
  - {name: c, title: {en: t}, text: {en: x}, where: {Game: go, Score: {atLeast: 9}}, count: {plays: 5}}
  - {name: d, title: {en: t}, text: {en: x}, where: {Game: go, Score: {is: 9}}, total: {of: Score, reaches: 5}}
`)
	r := b.Rules
	if r[0].Tally() != r[1].Tally() || r[1].Tally() == r[2].Tally() || r[1].Tally() == r[3].Tally() {
		t.Errorf("tallies %s %s %s %s, want the first two the same and no others", r[0].Tally(), r[1].Tally(), r[2].Tally(), r[3].Tally())
	}
	if got := len(b.Views); got != 1 {
		t.Errorf("%d views, want one for all", got)
	}
	if got := b.OfItem(OfTotal); len(got) != 4 || len(b.OfItem("day#2024-01-01")) != 0 {
		t.Errorf("%d rules look at the total", len(got))
	}
}

// Days are numbered over months, leap days and years.
func TestDayNumbers(t *testing.T) {
	var days []int
	for _, label := range []string{"2023-12-31", "2024-01-01", "2024-02-28", "2024-02-29", "2024-03-01"} {
		day, ok := dayOf(label)
		if !ok || labelOf(day) != label {
			t.Errorf("%s is day %d, %v, which is %s", label, day, ok, labelOf(day))
		}
		days = append(days, day)
	}
	if want := []int{days[0], days[0] + 1, days[0] + 59, days[0] + 60, days[0] + 61}; !slices.Equal(days, want) {
		t.Errorf("got %v, want %v", days, want)
	}
}

// A play on any day that a timestamp can have is near itself. Fails if the bounds of a day at the end of the calendar are
// in the wrong order, which DynamoDB refuses.
func TestNearAtTheEndsOfTheCalendar(t *testing.T) {
	for _, label := range []string{"0000-01-01", "0000-01-31", "0001-01-01", "2024-02-29", "9998-12-31", "9999-12-01", "9999-12-25", "9999-12-30", "9999-12-31"} {
		for _, k := range kindsOfPlays(t) {
			for n := 0; k.OfDays != nil && n <= 4; n++ {
				kind, _ := k.OfDays(1+9*n, n)
				of := "day#" + label
				if from, to := one(t, kind).Near(of); from > of || of > to {
					t.Errorf("%s: what is near %s is from %s to %s", kind, of, from, to)
				}
			}
		}
	}
}

// BenchmarkEarned is how long 100 rules take for one play's item of the state.
func BenchmarkEarned(b *testing.B) {
	badges := ""
	for n := range 100 {
		badges += fmt.Sprintf("  - {name: a%d, title: {en: t}, text: {en: x}, where: {Score: {is: %d}}, count: {plays: {low: 10, high: 100}}}\n", n, n)
	}
	book := parse(b, badges)
	state := State{OfTotal: {}}
	for _, r := range book.Rules {
		state[OfTotal][r.Tally()] = number(50)
	}
	today := time.Now().Format(time.DateOnly)
	b.ReportAllocs()
	for b.Loop() {
		for _, r := range book.OfItem(OfTotal) {
			if len(r.Earned(state, today)) != 1 {
				b.Fatal("want the low level")
			}
		}
	}
}

// Rules that look at items alone need no plays, and a file may have no rules yet. Fails if a rule that counts plays is taken without them.
func TestPlaysAreOptional(t *testing.T) {
	const item = "badges: [{name: b, title: {en: t}, text: {en: x}, item: {table: T, player: P, each: P}}]"
	for text, fault := range map[string]string{
		"badges: []": "", item: "", "badges: [{name: b, title: {en: t}, text: {en: x}, first: {}}]": "badge b looks at plays, and plays is missing",
	} {
		book, err := Parse("test.yaml", []byte(text), nil, "State")
		if fault == "" && (err != nil || len(book.Views) > 0) || fault != "" && (err == nil || !strings.Contains(err.Error(), fault)) {
			t.Errorf("%s: %v, want %q", text, err, fault)
		}
	}
}
