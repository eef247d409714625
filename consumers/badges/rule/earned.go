package rule

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// State is what is known of one player: sums and counts by item (AttrOf) and tally.
type State map[string]map[string]decimal.Decimal

// Earned returns the awards that the state earns by the rule, in a fixed order. Days
// after today, a date like 2024-01-15, count for nothing yet; empty: all count.
func (r *Rule) Earned(s State, today string) []Award {
	switch {
	case r.Kind == Streak:
		return r.runs(r.days(s, today))
	case r.Kind == Window:
		return r.windows(r.days(s, today))
	case r.Kind == First && r.Of != "":
		var awards []Award
		for of, tallies := range r.items(s) {
			if tallies[r.tally].IsPositive() {
				awards = append(awards, Award{Badge: r.Name, Of: strings.TrimPrefix(of, r.prefix())})
			}
		}
		return awards
	case r.Box != "":
		return r.boxes(s, today)
	case r.tally != "":
		return r.reached(r.have(s, today), "")
	}
	return nil
}

// items yields the items that the rule looks at, in the order of AttrOf. An item of the
// empty text is none: a play with an empty Game doesn't say of which game it is.
func (r *Rule) items(s State) func(yield func(string, map[string]decimal.Decimal) bool) {
	return func(yield func(string, map[string]decimal.Decimal) bool) {
		for _, of := range slices.Sorted(maps.Keys(s)) {
			empty := of == r.prefix() && strings.HasPrefix(of, ofEach)
			if strings.HasPrefix(of, r.prefix()) && !empty && !yield(of, s[of]) {
				return
			}
		}
	}
}

// reached returns the awards that a sum earns in a box, or ever.
func (r *Rule) reached(have decimal.Decimal, box string) []Award {
	var awards []Award
	for _, l := range r.Levels {
		if have.LessThan(l.Need) {
			break
		}
		if r.Repeat <= 1 {
			awards = append(awards, Award{Badge: r.Name, Level: l.Name, Of: box})
			continue
		}
		for n := int64(1); n <= r.Repeat && !have.LessThan(l.Need.Mul(decimal.NewFromInt(n))); n++ {
			awards = append(awards, Award{Badge: r.Name, Level: l.Name, Of: strconv.FormatInt(n, 10)})
		}
	}
	return awards
}

// boxes returns the awards that any box earns, or each.
func (r *Rule) boxes(s State, today string) []Award {
	var awards []Award
	known := map[string]bool{}
	for of, tallies := range r.items(s) {
		label := strings.TrimPrefix(of, r.prefix())
		if r.Box == unitDay && today != "" && label > today {
			continue
		}
		box := ""
		if r.RepeatBox {
			box = label
		}
		for _, a := range r.reached(tallies[r.tally], box) {
			if !known[a.Key()] {
				known[a.Key()] = true
				if r.Box == unitDay {
					a.On = label
				}
				awards = append(awards, a)
			}
		}
	}
	return awards
}

// day is one on which there were plays.
type day struct {
	number int
	plays  decimal.Decimal
}

// days returns the days with plays, in their order.
func (r *Rule) days(s State, today string) []day {
	var days []day
	for of, tallies := range r.items(s) {
		label := strings.TrimPrefix(of, r.prefix())
		number, ok := dayOf(label)
		if ok && tallies[r.tally].IsPositive() && (today == "" || label <= today) {
			days = append(days, day{number, tallies[r.tally]})
		}
	}
	return days
}

// runs returns the levels that runs of days reach: a run of n days has plays on n days
// and misses at most Grace days between the first and the last.
func (r *Rule) runs(days []day) []Award {
	var awards []Award
	for _, l := range r.Levels {
		n := int(l.Need.IntPart())
		for last := n - 1; last < len(days); last++ {
			if missed := days[last].number - days[last-n+1].number + 1 - n; missed <= r.Grace {
				awards = append(awards, Award{Badge: r.Name, Level: l.Name, On: labelOf(days[last].number)})
				break
			}
		}
	}
	return awards
}

// longest returns the longest run.
func (r *Rule) longest(days []day) int {
	longest, first := 0, 0
	for last := range days {
		for days[last].number-days[first].number+1-(last-first+1) > r.Grace {
			first++
		}
		longest = max(longest, last-first+1)
	}
	return longest
}

// windows returns the levels that any Days days in a row reach.
func (r *Rule) windows(days []day) []Award {
	var awards []Award
	for _, l := range r.Levels {
		sum, first := decimal.Zero, 0
		for last := range days {
			sum = sum.Add(days[last].plays)
			for days[last].number-days[first].number >= r.Days {
				sum = sum.Sub(days[first].plays)
				first++
			}
			if !sum.LessThan(l.Need) {
				awards = append(awards, Award{Badge: r.Name, Level: l.Name, On: labelOf(days[last].number)})
				break
			}
		}
	}
	return awards
}

// busiest returns the largest sum of any Days days in a row.
func (r *Rule) busiest(days []day) decimal.Decimal {
	most, sum, first := decimal.Zero, decimal.Zero, 0
	for last := range days {
		sum = sum.Add(days[last].plays)
		for days[last].number-days[first].number >= r.Days {
			sum = sum.Sub(days[first].plays)
			first++
		}
		most = decimal.Max(most, sum)
	}
	return most
}

// Combine returns the awards of rules of kind All that a player's awards earn and that
// aren't among them. One may need another: what it returns may earn further ones.
func (b *Book) Combine(awards []Award) []Award {
	have := map[string]bool{}
	for _, a := range awards {
		have[a.Badge], have[a.Badge+"#"+a.Level] = true, true
	}
	var earned []Award
	for _, r := range b.Rules {
		if r.Kind == All && !have[r.Name] && !slices.ContainsFunc(r.All, func(name string) bool { return !have[name] }) {
			earned = append(earned, Award{Badge: r.Name})
		}
	}
	return earned
}

const hoursOfDay = 24

// dayOf returns the number of a day; two in a row are one apart.
func dayOf(label string) (int, bool) {
	at, err := time.Parse(time.DateOnly, label)
	return int(at.Unix() / int64((hoursOfDay * time.Hour).Seconds())), err == nil
}

// lastDay is that of the last year that timestamps have.
var lastDay, _ = dayOf("9999-12-31")

func labelOf(day int) string {
	return time.Unix(0, 0).UTC().AddDate(0, 0, day).Format(time.DateOnly)
}
