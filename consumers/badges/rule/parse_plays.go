package rule

import (
	"strings"

	"sluice/shared/declaration"
)

// plays reads what a play is: one block, or a list of named ones. Rules that look at no plays need none.
func (r *reader) plays(n node) {
	switch {
	case n.Kind == declaration.Absent:
	case n.Kind != declaration.List:
		r.book.Plays = []*Plays{r.block(n, DefaultPlays)}
	case len(n.Items) == 0:
		r.Fault(n.At, "plays is an empty list: say which table has them, and their player and time")
	default:
		for _, item := range n.Items {
			r.book.Plays = append(r.book.Plays, r.block(item, ""))
		}
	}
}

// block reads one block of plays. It has the given name, or states its own if that is empty.
func (r *reader) block(n node, name string) *Plays {
	keys := []string{"table", "player", "at", "zone", "earliest", "subtractExpired"}
	if name == "" {
		keys = append([]string{"name"}, keys...)
	}
	f := r.Fields(n, "plays", keys...)
	if name == "" {
		name = r.Text(f["name"], "plays: name")
		r.name(f["name"].At, name, "plays: name")
		if name != "" && r.book.block(name) != nil {
			r.Fault(f["name"].At, "plays: two blocks are named %s", name)
		}
	}
	p := &Plays{
		Name: name, Table: r.Text(f["table"], "plays: table"), Player: r.Name(f["player"], "plays: player"), At: r.Name(f["at"], "plays: at"),
		zone: f["zone"], from: r.Text(f["earliest"], "plays: earliest"), SubtractExpired: r.Boolean(f["subtractExpired"], "plays: subtractExpired", false),
	}
	r.checkDates(*p, n.At)
	return p
}

// countedFrom reads which block of plays a rule counts. If there is one only, a rule need not say so.
func (r *reader) countedFrom(b *Rule, n node) {
	switch {
	case b.kind.looks().none:
		if n.Kind != declaration.Absent {
			r.Fault(n.At, "from is about plays; %s looks at none", b.Kind)
		}
	case !r.played:
		r.Fault(b.at, "badge %s looks at plays, and plays is missing: say which table has them, and their player and time", b.Name)
	case len(r.book.Plays) == 0: // which is a fault already
	case n.Kind != declaration.Absent:
		b.from = r.Text(n, "from")
		if b.Plays = r.book.block(b.from); b.Plays == nil && b.from != "" {
			r.Fault(n.At, "from: there are no plays named %q; there are: %s", b.from, r.book.blockNames())
		}
	case len(r.book.Plays) > 1:
		r.Fault(n.At, "badge %s: from is missing: say which plays it counts: %s", b.Name, r.book.blockNames())
	default:
		b.Plays = r.book.Plays[0]
	}
}

func (b *Book) blockNames() string {
	var names []string
	for _, p := range b.Plays {
		names = append(names, p.Name)
	}
	return strings.Join(names, ", ")
}

// checkViewNames makes sure that no two sorts of items of the state are kept by views of one name.
func (r *reader) checkViewNames() {
	known := map[string]*Rule{}
	for _, b := range r.book.Rules {
		if b.Plays == nil {
			continue
		}
		name := b.viewName()
		if other := known[name]; other == nil {
			known[name] = b
		} else if other.prefix() != b.prefix() {
			r.Fault(b.at, "badges %s and %s count different plays, by views that would both be named %s: rename their plays, or the attribute that tells values apart", other.Name, b.Name, name)
		}
	}
}
