package rule

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"sluice/shared/declaration"
)

// Count asks for so many plays, and Total for so much of an attribute in all.
const (
	Count Kind = "count"
	Total Kind = "total"
)

type count struct{ within }

func (k *count) read(r *reader, b *Rule, n node) {
	f := r.Fields(n, "count", "plays", "repeat", "within")
	b.Levels = r.levels(f["plays"], "count: plays", true)
	k.within.read(r, b, "count", f)
}

func (k *count) asks(b *Rule) string { return b.levels("plays") }

func (k *count) looks() looks { return looks{unit: k.box} }

type total struct {
	within
	of string
}

func (k *total) read(r *reader, b *Rule, n node) {
	f := r.Fields(n, "total", "of", "reaches", "repeat", "within")
	k.of = r.Members(f["of"], "total: of").String()
	b.Levels = r.levels(f["reaches"], "total: reaches", false)
	k.within.read(r, b, "total", f)
}

func (k *total) asks(b *Rule) string { return b.levels("of " + k.of + " in all") }

func (k *total) looks() looks { return looks{unit: k.box, sum: k.of} }

// within is what Count and Total have in common: all of it has to happen within a box, or ever.
type within struct {
	box  string // day, week or month; empty: ever
	each bool   // the badge is earned once in each box
}

// once is how often a badge is earned that isn't repeated.
const once = 1

// maxRepeat bounds how many awards one play may earn.
const maxRepeat = 1000

func (w *within) read(r *reader, b *Rule, what string, f map[string]node) {
	if f["within"].Kind != declaration.Absent {
		w.box = r.Text(f["within"], what+": within")
		if !slices.Contains([]string{unitDay, unitWeek, unitMonth}, w.box) {
			r.Fault(f["within"].At, "%s: within must be day, week or month, not %q; for any days in a row there is window", what, w.box)
		}
	}
	n := f["repeat"]
	switch {
	case n.Kind == declaration.Absent:
	case w.box != "":
		if w.each = n.Text == "each"; !w.each {
			r.Fault(n.At, "%s: repeat must be each, since it is within a %s: once in each", what, w.box)
		}
	default:
		b.Repeat = int64(r.whole(n, what+": repeat", once, maxRepeat))
		if b.Repeat > once && len(b.Levels) > 1 {
			r.Fault(n.At, "%s: repeat: a badge with levels can't be repeated", what)
		}
	}
}

func (w *within) earned(b *Rule, s State, today string) []Award {
	if w.box == "" {
		return b.reached(w.have(b, s, today), "")
	}
	var awards []Award
	known := map[string]bool{}
	for of, tallies := range b.items(s) {
		label := strings.TrimPrefix(of, b.prefix())
		if w.box == unitDay && today != "" && label > today {
			continue
		}
		box := ""
		if w.each {
			box = label
		}
		for _, a := range b.reached(tallies[b.tally], box) {
			if !known[a.Key()] {
				known[a.Key()] = true
				if w.box == unitDay {
					a.On = label
				}
				awards = append(awards, a)
			}
		}
	}
	return awards
}

func (*within) span(*Rule) int { return oneItem }

func (w *within) have(b *Rule, s State, _ string) decimal.Decimal {
	if w.box == "" {
		return s[b.prefix()][b.tally]
	}
	most := decimal.Zero
	for _, tallies := range b.items(s) {
		most = decimal.Max(most, tallies[b.tally])
	}
	return most
}

func (w *within) inBox() string {
	switch {
	case w.box == "":
		return ""
	case w.each:
		return fmt.Sprintf("within a %s, once in each", w.box)
	}
	return "within a " + w.box
}

// reached returns the awards that a sum earns in a box, or ever.
func (r *Rule) reached(have decimal.Decimal, box string) []Award {
	var awards []Award
	for _, l := range r.Levels {
		if have.LessThan(l.Need) {
			break
		}
		if r.Repeat <= once {
			awards = append(awards, Award{Badge: r.Name, Level: l.Name, Of: box})
			continue
		}
		for n := int64(1); n <= r.Repeat && !have.LessThan(l.Need.Mul(decimal.NewFromInt(n))); n++ {
			awards = append(awards, Award{Badge: r.Name, Level: l.Name, Of: strconv.FormatInt(n, 10)})
		}
	}
	return awards
}
