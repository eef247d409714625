package rule

import (
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
	"sluice/shared/change"
	"sluice/shared/consumertest"
)

// blocks declares plays of two tables, which tell player and time by other attributes, and in which days begin at other times.
const blocks = `plays:
  - {name: plays, table: Plays, player: Player, at: At, zone: UTC, earliest: 2000-01-01}
  - {name: orders, table: Orders, player: Customer, at: Placed, zone: Asia/Tokyo, earliest: 2000-01-01}
badges:
`

func parseBlocks(t testing.TB, badges string) *Book {
	t.Helper()
	b, err := Parse("test.yaml", []byte(blocks+badges), nil, "State")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// inBoth declares one rule for each block.
func inBoth(t testing.TB, kind string) (b *Book, ofPlays, ofOrders *Rule) {
	t.Helper()
	b = parseBlocks(t, "  - {name: a, title: {en: t}, text: {en: x}, from: plays, "+kind+"}\n  - {name: b, title: {en: t}, text: {en: x}, from: orders, "+kind+"}\n")
	return b, b.Rules[0], b.Rules[1]
}

// How states and views are named is stored: those of a file with one block, of a block that is named as that is, and of others.
func TestStatesOfBlocks(t *testing.T) {
	badges := ""
	for n, kind := range []string{"first: {}", "streak: {days: 3}", "count: {plays: 3, within: week}", "count: {plays: 3, within: month}", "first: {each: Game}"} {
		badges += fmt.Sprintf("  - {name: a%d, title: {en: t}, text: {en: x}, %s}\n", n, kind)
	}
	of := func(block string) string { return strings.ReplaceAll(badges, "{name", "{from: "+block+", name") }
	old := map[string]string{"total": "badges-total", "day#": "badges-day", "week#": "badges-week", "month#": "badges-month", "each#Game#": "badges-each-Game"}
	orders := map[string]string{}
	for prefix, name := range old {
		orders["from#orders#"+prefix] = strings.Replace(name, "badges-", "badges-orders-", 1)
	}
	for _, test := range []struct {
		book *Book
		want map[string]string
	}{{parse(t, badges), old}, {parseBlocks(t, of("plays")), old}, {parseBlocks(t, of("orders")), orders}} {
		got := map[string]string{}
		for _, r := range test.book.Rules {
			got[r.prefix()] = r.viewName()
			if v := test.book.ViewOf(r.prefix()); v == nil || v.Name != r.viewName() || test.book.PlaysOf(r.prefix()) != r.Plays || test.book.PlaysOfView(v) != r.Plays {
				t.Errorf("%s isn't kept by view %s of %s", r.prefix(), r.viewName(), r.Plays.Name)
			}
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if len(test.book.Views) != len(test.want) || len(test.book.OfTable) != len(test.want) {
			t.Errorf("%d views, want %d", len(test.book.Views), len(test.want))
		}
	}
	alone, one := parse(t, badges), parseBlocks(t, of("plays"))
	for i, r := range alone.Rules {
		if r.Tally() != one.Rules[i].Tally() {
			t.Errorf("%s counts in %s, and in %s once there is another block", r.Name, r.Tally(), one.Rules[i].Tally())
		}
	}
}

// A rule of a block is what the same rule is of the only one: it earns the same by the same plays, looks at as much, and moves by the
// same writes, whatever else the player does in the other block. Fails for a kind that names items of the state without its block.
func TestRulesOfABlock(t *testing.T) {
	for _, k := range kindsOfPlays(t) {
		for example := range k.Rules {
			t.Run(example, func(t *testing.T) {
				alone := one(t, example)
				book, ofPlays, ofOrders := inBoth(t, example)
				rapid.Check(t, func(rt *rapid.T) {
					for r, prefix := range map[*Rule]string{ofPlays: "", ofOrders: "from#orders#"} {
						checkBlock(rt, book, r, prefix, alone)
					}
				})
			})
		}
	}
}

func checkBlock(rt *rapid.T, book *Book, r *Rule, prefix string, alone *Rule) {
	expected, both := State{}, State{}
	noise := ofOthers(book, r)
	for range rapid.IntRange(0, 12).Draw(rt, "plays") {
		if rapid.Bool().Draw(rt, "of another block") {
			play(rt, noise, both)
			continue
		}
		before := maps.Clone(expected)
		of := play(rt, alone, expected)
		both[prefix+of] = expected[of]
		if from, to := alone.Near(of); !slices.Equal([]string{prefix + from, prefix + to}, pair(r.Near(prefix+of))) {
			rt.Errorf("near %s is %q, want those from %s to %s", prefix+of, pair(r.Near(prefix+of)), from, to)
		}
		had, has := alone.Earned(State{of: before[of]}, ""), alone.Earned(State{of: expected[of]}, "")
		if want, got := alone.Moves(before[of], expected[of], had, has), r.Moves(before[of], expected[of], r.Earned(State{prefix + of: before[of]}, ""), r.Earned(State{prefix + of: expected[of]}, "")); got != want {
			rt.Errorf("a write to %s moves: %v, want %v", prefix+of, got, want)
		}
		if rules := book.OfItem(prefix + of); !slices.Equal(rules, []*Rule{r}) || book.PlaysOf(prefix+of) != r.Plays {
			rt.Errorf("at %s look %v, of %v", prefix+of, rules, book.PlaysOf(prefix+of))
		}
		plays, day, isDay := book.Day(prefix + of)
		if label, want := strings.CutPrefix(of, "day#"); isDay != want || isDay && (day != label || plays != r.Plays) {
			rt.Errorf("%s is day %q, %v", prefix+of, day, isDay)
		}
	}
	for _, today := range []string{"", "2024-01-06"} {
		if want, got := unnamed(alone.Earned(expected, today)), unnamed(r.Earned(both, today)); !slices.Equal(got, want) {
			rt.Errorf("%v of %v: earned %q, want %q", r, both, got, want)
		}
		if want, got := fmt.Sprint(alone.Progress(expected, today), alone.Days(expected, today), alone.Values(expected)), fmt.Sprint(r.Progress(both, today), r.Days(both, today), r.Values(both)); got != want {
			rt.Errorf("%v of %v: progress, days and values %s, want %s", r, both, got, want)
		}
	}
}

// ofOthers is the book's rule of the other block.
func ofOthers(book *Book, r *Rule) *Rule {
	return book.Rules[slices.IndexFunc(book.Rules, func(o *Rule) bool { return o != r })]
}

func pair(a, b string) []string { return []string{a, b} }

// unnamed are awards' keys with their days, without the badge's name.
func unnamed(awards []Award) []string {
	texts := keys(awards)
	for i := range texts {
		texts[i] = texts[i][1:]
	}
	return texts
}

// Random plays of both tables count in the states of their own block alone, by its own player, time and zone: what they earn is what the
// plainest calculation says of each table. Fails if any block is taken for another.
func TestFoldOfBlocks(t *testing.T) {
	for _, k := range kindsOfPlays(t) {
		for _, simulated := range k.Simulated {
			t.Run(simulated.Name, func(t *testing.T) {
				rule := simulated.Rule
				if simulated.Where != "" {
					rule += ", where: {" + simulated.Where + "}"
				}
				book, _, _ := inBoth(t, rule)
				rapid.Check(t, func(rt *rapid.T) { checkFold(rt, t, book, simulated) })
			})
		}
	}
}

func checkFold(rt *rapid.T, t *testing.T, book *Book, simulated ruletest.Simulated) {
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	states, want := States{}, []string{}
	for i, block := range book.Plays {
		var plays []ruletest.Play
		for n := range rapid.IntRange(0, 12).Draw(rt, block.Name) {
			p := ruletest.Play{
				At:    time.Date(2025, 11, rapid.IntRange(2, 12).Draw(rt, "day"), rapid.SampledFrom([]int{3, 18}).Draw(rt, "hour"), 0, 0, 0, time.UTC),
				Score: decimal.RequireFromString(rapid.SampledFrom([]string{"9", "2.5", "0"}).Draw(rt, "score")),
				Game:  rapid.SampledFrom([]string{"", "go", "chess"}).Draw(rt, "game"),
			}
			keys := consumertest.Item{"Id": consumertest.N(fmt.Sprint(n))}
			image := consumertest.Item{"Id": keys["Id"], block.Player: consumertest.S("reed"), block.At: consumertest.S(p.At.Format(time.RFC3339)), "Score": consumertest.N(p.Score.String())}
			if p.Game != "" {
				image["Game"] = consumertest.S(p.Game)
			}
			parsed, err := change.Parse(consumertest.Change{Table: block.Table, Time: consumertest.Arrival, Keys: keys, New: image}.Record())
			if err == nil {
				err = book.Fold(parsed, states)
			}
			if err != nil {
				t.Fatal(err)
			}
			if block.Name == "orders" {
				p.At = p.At.In(tokyo)
			}
			plays = append(plays, p)
		}
		for _, award := range simulated.Earns(plays) {
			want = append(want, book.Rules[i].Name+award)
		}
	}
	got := keysOf(book.AllEarned(states["reed"], "", nil))
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		rt.Errorf("%v earns %q, want %q", states, got, want)
	}
}
