package rule

import (
	"strings"

	"github.com/shopspring/decimal"

	"sluice/shared/declaration"
)

// First asks for one play, or for one with each value of an attribute.
const First Kind = "first"

type first struct{ each string }

func (k *first) read(r *reader, b *Rule, n node) {
	f := r.Fields(n, "first", "each")
	b.Levels = single()
	if f["each"].Kind != declaration.Absent {
		k.each = r.attribute(f["each"], "first: each")
	}
}

func (k *first) asks(*Rule) string {
	if k.each != "" {
		return "the first play with each " + k.each
	}
	return "the first play"
}

func (k *first) looks() looks { return looks{each: k.each} }

func (*first) span(*Rule) int { return oneItem }

func (k *first) earned(b *Rule, s State, today string) []Award {
	if k.each == "" {
		return b.reached(k.have(b, s, today), "")
	}
	var awards []Award
	for _, value := range b.Values(s) {
		awards = append(awards, Award{Badge: b.Name, Of: value})
	}
	return awards
}

func (k *first) have(b *Rule, s State, _ string) decimal.Decimal {
	if k.each == "" {
		return s[b.prefix()][b.tally]
	}
	return decimal.NewFromInt(int64(len(b.Values(s))))
}

// Valued reports whether the rule has an award for each value that items have: then a
// player may have any number of them.
func (r *Rule) Valued() bool { return r.Kind == Item || r.Kind == First && r.kind.looks().each != "" }

// Values returns the values that plays have of the attribute by which the rule tells them
// apart; none if the rule tells none apart.
func (r *Rule) Values(s State) []string {
	if r.kind.looks().each == "" {
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
