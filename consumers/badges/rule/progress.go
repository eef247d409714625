package rule

import "github.com/shopspring/decimal"

// Progress is how far a player is on the way to a badge's next level.
type Progress struct {
	Level string          // that is next; the last one if all are reached
	Have  decimal.Decimal // as far as it counts for that level
	Need  decimal.Decimal
}

// Reached tells whether there is nothing more to reach.
func (p Progress) Reached() bool { return !p.Have.LessThan(p.Need) }

// Progress returns how far the state is; today is as for Earned. Rules of kind All and
// Item have none: it is 0 of 1.
func (r *Rule) Progress(s State, today string) Progress {
	have := r.kind.have(r, s, today)
	last := r.Levels[len(r.Levels)-1]
	next := Progress{Level: last.Name, Have: have, Need: last.Need}
	for _, l := range r.Levels {
		if have.LessThan(l.Need) {
			return Progress{Level: l.Name, Have: have, Need: l.Need}
		}
	}
	for n := int64(2); n <= r.Repeat && next.Reached(); n++ {
		next.Need = last.Need.Mul(decimal.NewFromInt(n))
	}
	return next
}
