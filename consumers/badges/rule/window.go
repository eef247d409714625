package rule

import (
	"fmt"

	"github.com/shopspring/decimal"
)

// Window asks for so many plays within some days in a row.
const Window Kind = "window"

type window struct{ days int }

func (k *window) read(r *reader, b *Rule, n node) {
	f := r.Fields(n, "window", "days", "plays")
	k.days = r.whole(f["days"], "window: days", 1, maxDays)
	b.Levels = r.levels(f["plays"], "window: plays", true)
}

func (k *window) asks(b *Rule) string { return b.levels(fmt.Sprintf("plays within %d days", k.days)) }

// earned returns the levels that any window reaches.
func (k *window) earned(b *Rule, s State, today string) []Award {
	days := b.days(s, today)
	var awards []Award
	for _, l := range b.Levels {
		for last, plays := range k.sums(days) {
			if !plays.LessThan(l.Need) {
				awards = append(awards, Award{Badge: b.Name, Level: l.Name, On: labelOf(days[last].number)})
				break
			}
		}
	}
	return awards
}

// sums yields, for each day, its index and the plays of the window that ends with the day.
func (k *window) sums(days []day) func(yield func(int, decimal.Decimal) bool) {
	return func(yield func(int, decimal.Decimal) bool) {
		sum, first := decimal.Zero, 0
		for last := range days {
			sum = sum.Add(days[last].plays)
			for days[last].number-days[first].number >= k.days {
				sum = sum.Sub(days[first].plays)
				first++
			}
			if !yield(last, sum) {
				return
			}
		}
	}
}

// busiest returns the day with which the window ends that has the most plays, of several the last.
func (k *window) busiest(days []day) (last int, plays decimal.Decimal) {
	for end, sum := range k.sums(days) {
		if !sum.LessThan(plays) {
			last, plays = end, sum
		}
	}
	return last, plays
}

func (k *window) have(b *Rule, s State, today string) decimal.Decimal {
	_, plays := k.busiest(b.days(s, today))
	return plays
}

func (*window) looks() looks { return looks{unit: unitDay} }

func (k *window) span(*Rule) int { return k.days - 1 }

func (k *window) shown(b *Rule, s State, today string) []string {
	days := b.days(s, today)
	if len(days) == 0 {
		return nil
	}
	last, _ := k.busiest(days)
	first := last
	for first > 0 && days[last].number-days[first-1].number < k.days {
		first--
	}
	return labels(days[first : last+1])
}
