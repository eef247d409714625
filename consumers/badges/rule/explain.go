package rule

import (
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// Run returns the days of a Streak's longest run, of several the last; today is as for
// Earned.
func (r *Rule) Run(s State, today string) []string {
	days := r.days(s, today)
	longest := r.longest(days)
	for last := len(days) - 1; longest > 0 && last >= longest-1; last-- {
		run := days[last-longest+1 : last+1]
		if run[longest-1].number-run[0].number+1-longest <= r.Grace {
			return labels(run)
		}
	}
	return nil
}

// Busiest returns the days with plays among those Days in a row that have the most, of a
// Window; of several the last.
func (r *Rule) Busiest(s State, today string) []string {
	days := r.days(s, today)
	most := r.busiest(days)
	if !most.IsPositive() {
		return nil
	}
	for last := len(days) - 1; last >= 0; last-- {
		sum, first := decimal.Zero, last
		for ; first >= 0 && days[last].number-days[first].number < r.Days; first-- {
			sum = sum.Add(days[first].plays)
		}
		if sum.Equal(most) {
			return labels(days[first+1 : last+1])
		}
	}
	return nil
}

func labels(days []day) []string {
	var texts []string
	for _, d := range days {
		texts = append(texts, labelOf(d.number))
	}
	return texts
}

// Values returns the values that a Distinct, or a First with each, has seen.
func (r *Rule) Values(s State) []string {
	if r.Kind != Distinct && (r.Kind != First || r.Of == "") {
		return nil
	}
	var values []string
	for of, tallies := range r.items(s) {
		if tallies[r.tally].IsPositive() {
			values = append(values, strings.TrimPrefix(of, r.prefix()))
		}
	}
	return values
}

// Lacks returns what an All needs and isn't among a player's awards.
func (r *Rule) Lacks(awards []Award) []string {
	return slices.DeleteFunc(slices.Clone(r.All), func(needed string) bool {
		return slices.ContainsFunc(awards, func(a Award) bool { return a.Badge == needed || a.Badge+"#"+a.Level == needed })
	})
}

// Languages are those that any rule has texts in, sorted.
func (b *Book) Languages() []string {
	known := map[string]bool{}
	for _, r := range b.Rules {
		for language := range r.Text {
			known[language] = true
		}
	}
	var languages []string
	for language := range known {
		languages = append(languages, language)
	}
	slices.Sort(languages)
	return languages
}
