package rule

import (
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// maxDays bounds what has to be read of a player's days to know a streak or a window.
const maxDays = 366

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

func labels(days []day) []string {
	var texts []string
	for _, d := range days {
		texts = append(texts, labelOf(d.number))
	}
	return texts
}
