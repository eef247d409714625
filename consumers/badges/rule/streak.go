package rule

import (
	"fmt"

	"github.com/shopspring/decimal"

	"sluice/shared/declaration"
)

// Streak asks for plays on so many days in a row.
const Streak Kind = "streak"

type streak struct {
	grace int // days that may be missed
}

func (k *streak) read(r *reader, b *Rule, n node) {
	f := r.Fields(n, "streak", "days", "grace")
	b.Levels = r.levels(f["days"], "streak: days", true)
	if f["grace"].Kind != declaration.Absent {
		k.grace = r.whole(f["grace"], "streak: grace", 0, maxDays)
	}
	for _, l := range b.Levels {
		if l.Need.GreaterThan(decimal.NewFromInt(maxDays)) {
			r.Fault(f["days"].At, "streak: days: %s are too many; a streak has at most %d", l.Need, maxDays)
		}
	}
}

func (k *streak) asks(b *Rule) string {
	text := b.levels("days in a row")
	if k.grace > 0 {
		text += fmt.Sprintf("; %d more in between may be missed", k.grace)
	}
	return text
}

// earned returns the levels that runs of days reach: a run of n days has plays on n days
// and misses at most grace days between the first and the last.
func (k *streak) earned(b *Rule, s State, today string) []Award {
	days := b.days(s, today)
	var awards []Award
	for _, l := range b.Levels {
		n := int(l.Need.IntPart())
		for last := n - 1; last < len(days); last++ {
			if k.runs(days[last-n+1 : last+1]) {
				awards = append(awards, Award{Badge: b.Name, Level: l.Name, On: labelOf(days[last].number)})
				break
			}
		}
	}
	return awards
}

// runs reports whether days are a run.
func (k *streak) runs(days []day) bool {
	return days[len(days)-1].number-days[0].number+1-len(days) <= k.grace
}

func (k *streak) have(b *Rule, s State, today string) decimal.Decimal {
	return decimal.NewFromInt(int64(len(k.longest(b.days(s, today)))))
}

// longest returns the longest run, of several the last.
func (k *streak) longest(days []day) []day {
	var longest []day
	first := 0
	for last := range days {
		for !k.runs(days[first : last+1]) {
			first++
		}
		if run := days[first : last+1]; len(run) >= len(longest) {
			longest = run
		}
	}
	return longest
}

func (*streak) looks() looks { return looks{unit: unitDay, presence: true} }

func (k *streak) span(b *Rule) int {
	return int(b.Levels[len(b.Levels)-1].Need.IntPart()) - 1 + k.grace
}

func (k *streak) shown(b *Rule, s State, today string) []string {
	return labels(k.longest(b.days(s, today)))
}
