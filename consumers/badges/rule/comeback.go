package rule

import (
	"github.com/shopspring/decimal"
)

// Comeback asks for a play after so many days without one.
const Comeback Kind = "comeback"

// A play that arrives late may fill the pause before a comeback. So more plays may earn less.
type comeback struct{}

func (k *comeback) read(r *reader, b *Rule, n node) {
	f := r.Fields(n, "comeback", "days")
	b.Levels = r.levels(f["days"], "comeback: days", true)
}

func (*comeback) isUndone() {}

func (*comeback) asks(b *Rule) string { return "back after " + b.levels("days without a play") }

func (k *comeback) earned(b *Rule, s State, today string) []Award {
	days := b.days(s, today)
	var awards []Award
	for _, l := range b.Levels {
		for i := range days {
			if !pause(days, i).LessThan(l.Need) {
				awards = append(awards, Award{Badge: b.Name, Level: l.Name, On: labelOf(days[i].number)})
				break
			}
		}
	}
	return awards
}

// pause returns how many days without a play are between a day and the one before.
func pause(days []day, i int) decimal.Decimal {
	if i == 0 {
		return decimal.Zero
	}
	return decimal.NewFromInt(int64(days[i].number - days[i-1].number - 1))
}

// longest returns the day after the longest pause, of several the last.
func (k *comeback) longest(days []day) (at int, missed decimal.Decimal) {
	for i := range days {
		if p := pause(days, i); !p.LessThan(missed) {
			at, missed = i, p
		}
	}
	return at, missed
}

func (k *comeback) have(b *Rule, s State, today string) decimal.Decimal {
	_, missed := k.longest(b.days(s, today))
	return missed
}

func (*comeback) looks() looks { return looks{unit: unitDay, presence: true} }

// span has no bound: the day before a pause may be years ago.
func (*comeback) span(*Rule) int { return everyItem }

func (k *comeback) shown(b *Rule, s State, today string) []string {
	days := b.days(s, today)
	if at, missed := k.longest(days); missed.IsPositive() {
		return labels(days[at-1 : at+1])
	}
	return nil
}
