package rule

import (
	"fmt"
	"strings"
)

// String says in a line what the rule asks for: "10 plays: bronze, 50: silver".
func (r *Rule) String() string {
	parts := []string{r.asks()}
	for _, c := range append(r.where[:len(r.where):len(r.where)], r.Source.where...) {
		parts = append(parts, "if "+c.String())
	}
	if r.Box != "" {
		within := "within a " + r.Box
		if r.RepeatBox {
			within += ", once in each"
		}
		parts = append(parts, within)
	}
	if r.Repeat > once {
		parts = append(parts, fmt.Sprintf("up to %d times", r.Repeat))
	}
	for _, flag := range []struct {
		name string
		set  bool
	}{{"hidden", r.Hidden}, {"revoke", r.Revoke}, {"quiet", r.Quiet}} {
		if flag.set {
			parts = append(parts, flag.name)
		}
	}
	return strings.Join(parts, "; ")
}

// asks is String without what holds for rules of all kinds.
func (r *Rule) asks() string {
	switch r.Kind {
	case First:
		if r.Of != "" {
			return "the first play with each " + r.Of
		}
		return "the first play"
	case Count:
		return r.levels("plays")
	case Total:
		return r.levels("of " + r.Of + " in all")
	case Streak:
		grace := ""
		if r.Grace > 0 {
			grace = fmt.Sprintf("; %d more in between may be missed", r.Grace)
		}
		return r.levels("days in a row") + grace
	case Window:
		return r.levels(fmt.Sprintf("plays within %d days", r.Days))
	case Distinct:
		return r.levels("different values of " + r.Of)
	case All:
		return "all of " + strings.Join(r.All, ", ")
	case Item:
		return fmt.Sprintf("each item of %s", r.Source.Table)
	}
	return string(r.Kind)
}

// levels lists what the levels need.
func (r *Rule) levels(what string) string {
	var levels []string
	for i, l := range r.Levels {
		text := l.Need.String()
		if i == 0 {
			text += " " + what
		}
		if l.Name != "" {
			text += ": " + l.Name
		}
		levels = append(levels, text)
	}
	return strings.Join(levels, ", ")
}
