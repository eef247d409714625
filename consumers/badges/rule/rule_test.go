package rule

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"sluice/shared/declaration/declarationtest"
)

// Each faulty file with every error that it should have. Fails if a check is left out,
// stops at the first fault, or names another place.
func TestFaultsOfAFile(t *testing.T) {
	declarationtest.Faults(t, 4, func(name string, text []byte) error {
		_, err := Parse(name, text, map[string]string{"SCORE_TABLE": "Scores"}, "State")
		return err
	})
}

func parse(t testing.TB, badges string) *Book {
	t.Helper()
	b, err := Parse("test.yaml", []byte("plays: {table: Plays, player: Player, at: At, zone: UTC, earliest: 2000-01-01}\nbadges:\n"+badges), nil, "State")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// one is a rule of this kind.
func one(t testing.TB, kind string) *Rule {
	t.Helper()
	return parse(t, "  - {name: a, title: {en: t}, text: {en: x}, "+kind+"}\n").Rules[0]
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
	days := func(days ...int) map[int]int {
		plays := map[int]int{}
		for _, day := range days {
			plays[day]++
		}
		return plays
	}
	for _, test := range []struct {
		kind  string
		state func(r *Rule) State
		today string
		want  []string
	}{
		{"streak: {days: {a: 2, b: 4}}", func(r *Rule) State { return played(r, days(1, 2, 4, 5, 6)) }, "", []string{"a#a on 2024-01-02"}},
		{"streak: {days: {a: 2, b: 4}, grace: 1}", func(r *Rule) State { return played(r, days(1, 2, 4, 5, 6)) }, "", []string{"a#a on 2024-01-02", "a#b on 2024-01-05"}},
		{"streak: {days: 4, grace: 1}", func(r *Rule) State { return played(r, days(1, 3, 5, 6, 7)) }, "", []string{"a on 2024-01-07"}},
		{"streak: {days: 5, grace: 1}", func(r *Rule) State { return played(r, days(1, 3, 5, 6, 7)) }, "", []string{}},
		{"streak: {days: 2}", func(r *Rule) State { return played(r, days(30, 31)) }, "2024-01-30", []string{}},
		{"streak: {days: 2}", func(r *Rule) State { return played(r, map[int]int{1: 1, 2: -1, 3: 1}) }, "", []string{}},
		{"comeback: {days: {a: 2, b: 4}}", func(r *Rule) State { return played(r, days(1, 2, 5, 9)) }, "", []string{"a#a on 2024-01-05"}},
		{"comeback: {days: {a: 2, b: 4}}", func(r *Rule) State { return played(r, days(1, 2, 5, 9, 14)) }, "", []string{"a#a on 2024-01-05", "a#b on 2024-01-14"}},
		{"comeback: {days: 4}", func(r *Rule) State { return played(r, days(9, 14)) }, "2024-01-13", []string{}},
		{"comeback: {days: 4}", func(r *Rule) State { return played(r, map[int]int{1: 1, 4: -1, 6: 1}) }, "", []string{"a on 2024-01-06"}},
		{"comeback: {days: 1}", func(r *Rule) State { return played(r, days(9)) }, "", []string{}},
		{"window: {days: 2, plays: 3}", func(r *Rule) State { return played(r, days(1, 3, 3, 4)) }, "", []string{"a on 2024-01-04"}},
		{"window: {days: 2, plays: 3}", func(r *Rule) State { return played(r, days(1, 2, 4, 5)) }, "", []string{}},
		{"count: {plays: {a: 2, b: 3}}", func(r *Rule) State { return State{OfTotal: {r.Tally(): number(2)}} }, "", []string{"a#a"}},
		{"total: {of: Score, reaches: 2.5, repeat: 3}", func(r *Rule) State { return State{OfTotal: {r.Tally(): number(5)}} }, "", []string{"a##1", "a##2"}},
		{"total: {of: Score, reaches: 2.5, repeat: 3}", func(r *Rule) State { return State{OfTotal: {r.Tally(): number(50)}} }, "", []string{"a##1", "a##2", "a##3"}},
		{"count: {plays: 2, within: week, repeat: each}", func(r *Rule) State {
			return State{"week#2024-W01": {r.Tally(): number(2)}, "week#2024-W02": {r.Tally(): number(1)}, "week#2024-W03": {r.Tally(): number(3)}}
		}, "", []string{"a##2024-W01", "a##2024-W03"}},
		{"count: {plays: 2, within: month}", func(r *Rule) State {
			return State{"month#2024-01": {r.Tally(): number(1)}, "month#2024-02": {r.Tally(): number(2)}, OfTotal: {r.Tally(): number(3)}}
		}, "", []string{"a"}},
		{"distinct: {of: Game, values: 2}", func(r *Rule) State {
			return State{"each#Game#go": {r.Tally(): number(1)}, "each#Game#": {r.Tally(): number(4)}, "each#Gamer#x": {r.Tally(): number(1)}}
		}, "", []string{}},
		{"distinct: {of: Game, values: 2}", func(r *Rule) State {
			return State{"each#Game#go": {r.Tally(): number(1)}, "each#Game# ": {r.Tally(): number(4)}}
		}, "", []string{"a"}},
		{"first: {each: Game}", func(r *Rule) State {
			return State{"each#Game#a#b": {r.Tally(): number(1)}, "each#Game#": {r.Tally(): number(1)}, "each#Game#c": {r.Tally(): number(0)}}
		}, "", []string{"a##a#b"}},
	} {
		r := one(t, test.kind)
		if diff := cmp.Diff(test.want, keys(r.Earned(test.state(r), test.today))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.kind, diff)
		}
	}
}

// Runs and windows, against the plainest way to find them: every stretch of days.
func TestDaysAgainstEveryStretch(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		need, grace := rapid.IntRange(1, 6).Draw(rt, "need"), rapid.IntRange(0, 2).Draw(rt, "grace")
		width := rapid.IntRange(1, 5).Draw(rt, "width")
		plays := map[int]int{}
		for range rapid.IntRange(0, 14).Draw(rt, "plays") {
			plays[rapid.IntRange(1, 16).Draw(rt, "day")]++
		}
		longest, busiest, missed, run, window := 0, 0, 0, false, false
		for first := 1; first <= 16; first++ {
			hits, sum := 0, 0
			for last := first; last <= 16; last++ {
				if plays[last] > 0 {
					hits++
				}
				sum += plays[last]
				if gaps := last - first + 1 - hits; plays[first] > 0 && plays[last] > 0 && gaps <= grace {
					longest, run = max(longest, hits), run || hits >= need
				}
				if hits == 2 && plays[first] > 0 && plays[last] > 0 {
					missed = max(missed, last-first-1)
				}
				if last-first < width {
					busiest, window = max(busiest, sum), window || sum >= need
				}
			}
		}
		streak := one(t, fmt.Sprintf("streak: {days: %d, grace: %d}", need, grace))
		within := one(t, fmt.Sprintf("window: {days: %d, plays: %d}", width, need))
		comeback := one(t, fmt.Sprintf("comeback: {days: %d}", need))
		for _, test := range []struct {
			rule   *Rule
			earned bool
			have   int
		}{{streak, run, longest}, {within, window, busiest}, {comeback, missed >= need, missed}} {
			state := played(test.rule, plays)
			if got := len(test.rule.Earned(state, "")) == 1; got != test.earned {
				rt.Errorf("%v of %v: earned is %v, want %v", test.rule, plays, got, test.earned)
			}
			if p := test.rule.Progress(state, ""); !p.Have.Equal(number(test.have)) || p.Reached() != test.earned {
				rt.Errorf("%v of %v: progress %+v, want %d", test.rule, plays, p, test.have)
			}
			// What may earn an award together with a day is near it.
			for day := range plays {
				from, to := test.rule.Near(fmt.Sprintf("day#2024-01-%02d", day))
				near := State{}
				for of, tallies := range state {
					if of >= from && of <= to {
						near[of] = tallies
					}
				}
				if without := played(test.rule, withoutDay(plays, day)); len(test.rule.Earned(without, "")) == 0 && len(test.rule.Earned(near, "")) != len(test.rule.Earned(state, "")) {
					rt.Errorf("%v of %v: what day %d completes isn't in %s to %s", test.rule, plays, day, from, to)
				}
			}
		}
	})
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

// kindsOfPlays has a rule of each kind that looks at plays.
var kindsOfPlays = map[Kind][]string{
	First:  {"first: {}", "first: {each: Game}"},
	Count:  {"count: {plays: {a: 2, b: 3}}", "count: {plays: 2, repeat: 3}", "count: {plays: 2, within: week, repeat: each}", "count: {plays: 2, within: day}"},
	Total:  {"total: {of: Score, reaches: {a: 2.5, b: 4}}", "total: {of: Score, reaches: 2.5, within: month}"},
	Streak: {"streak: {days: {a: 2, b: 3}, grace: 1}"}, Window: {"window: {days: 3, plays: {a: 2, b: 4}}"},
	Comeback: {"comeback: {days: {a: 1, b: 3}}"}, Distinct: {"distinct: {of: Game, values: {a: 2, b: 3}}"},
}

// More plays never earn less, or the rule is revoked. Fails for a kind that breaks this, and for a kind that nobody added here.
func TestMorePlaysEarnNoLess(t *testing.T) {
	for _, k := range kinds {
		examples := kindsOfPlays[k.name]
		if len(examples) == 0 && !k.make().looks().none {
			t.Errorf("kind %s isn't in kindsOfPlays", k.name)
		}
		for _, example := range examples {
			t.Run(example, func(t *testing.T) {
				r, undone := one(t, example), false
				rapid.Check(t, func(rt *rapid.T) {
					state := State{}
					add := func(what string) {
						for range rapid.IntRange(0, 6).Draw(rt, what) {
							of := r.prefix()
							switch l := r.kind.looks(); {
							case l.each != "":
								of += rapid.SampledFrom([]string{"go", "chess", "x#", ""}).Draw(rt, "value")
							case l.unit != "":
								of += fmt.Sprintf("2024-01-%02d", rapid.IntRange(1, 12).Draw(rt, "day"))
							}
							state[of] = map[string]decimal.Decimal{r.tally: state[of][r.tally].Add(number(1))}
						}
					}
					add("plays")
					before := keysOf(r.Earned(state, ""))
					add("more plays")
					after := keysOf(r.Earned(state, ""))
					for _, key := range before {
						if !slices.Contains(after, key) {
							undone = true
							if !r.Revoke {
								rt.Errorf("%v had %q, and with more plays has %q", r, before, after)
							}
						}
					}
				})
				if undone != r.Revoke || undone != r.Quiet {
					t.Errorf("%v is revoked: %v, quiet: %v, but more plays earn less: %v", r, r.Revoke, r.Quiet, undone)
				}
			})
		}
	}
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
		for _, kind := range []string{"streak: {days: 10, grace: 2}", "streak: {days: 1}", "window: {days: 7, plays: 20}", "window: {days: 1, plays: 2}"} {
			of := "day#" + label
			if from, to := one(t, kind).Near(of); from > of || of > to {
				t.Errorf("%s: what is near %s is from %s to %s", kind, of, from, to)
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
