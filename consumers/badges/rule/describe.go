package rule

import (
	"fmt"
	"strings"
)

// String says in a line what the rule asks for: "10 plays: bronze, 50: silver".
func (r *Rule) String() string {
	parts := []string{r.kind.asks(r)}
	if r.from != "" {
		parts = append(parts, "from "+r.from)
	}
	for _, c := range append(r.where[:len(r.where):len(r.where)], r.Source.where...) {
		parts = append(parts, "if "+c.String())
	}
	if k, is := r.kind.(boxed); is && k.inBox() != "" {
		parts = append(parts, k.inBox())
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
