package rule

import (
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"sluice/shared/declaration"
)

// All asks for other badges.
const All Kind = "all"

type all struct{ noPlays }

// noPlays is what the kinds have in common that look at no plays.
type noPlays struct{}

func (noPlays) looks() looks { return looks{none: true} }

func (noPlays) span(*Rule) int { return oneItem }

func (noPlays) earned(*Rule, State, string) []Award { return nil }

func (noPlays) have(*Rule, State, string) decimal.Decimal { return decimal.Zero }

func (*all) read(r *reader, b *Rule, n node) {
	b.Levels = single()
	if n.Kind != declaration.List || len(n.Items) == 0 {
		r.Fault(n.At, "all must be a list of badges, like [newcomer, veteran#gold]")
	}
	for _, item := range n.Items {
		b.All = append(b.All, r.Text(item, "all"))
	}
}

func (*all) asks(b *Rule) string { return "all of " + strings.Join(b.All, ", ") }

// Combines tells whether any rule is of kind All.
func (b *Book) Combines() bool {
	return slices.ContainsFunc(b.Rules, func(r *Rule) bool { return r.Kind == All })
}

// Combine returns the awards of rules of kind All that a player's awards earn and that
// aren't among them. One may need another: what it returns may earn further ones.
func (b *Book) Combine(awards []Award) []Award {
	var earned []Award
	for _, r := range b.Rules {
		has := slices.ContainsFunc(awards, func(a Award) bool { return a.Badge == r.Name })
		if r.Kind == All && !has && len(r.Lacks(awards)) == 0 {
			earned = append(earned, Award{Badge: r.Name})
		}
	}
	return earned
}

// Lacks returns what an All needs and isn't among a player's awards.
func (r *Rule) Lacks(awards []Award) []string {
	return slices.DeleteFunc(slices.Clone(r.All), func(needed string) bool {
		return slices.ContainsFunc(awards, func(a Award) bool { return a.Badge == needed || a.Badge+"#"+a.Level == needed })
	})
}

// needs returns the badges over which one needs itself.
func needs(from, home *Rule, known map[string]*Rule, seen []*Rule) []string {
	for _, name := range from.All {
		next := known[name]
		if next == home {
			return []string{home.Name}
		}
		if next == nil || slices.Contains(seen, next) {
			continue
		}
		if path := needs(next, home, known, append(seen, next)); path != nil {
			return append([]string{next.Name}, path...)
		}
	}
	return nil
}
