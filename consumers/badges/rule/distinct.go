package rule

import "github.com/shopspring/decimal"

// Distinct asks for plays with so many values of an attribute.
const Distinct Kind = "distinct"

type distinct struct{ of string }

func (k *distinct) read(r *reader, b *Rule, n node) {
	f := r.Fields(n, "distinct", "of", "values")
	k.of = r.attribute(f["of"], "distinct: of")
	b.Levels = r.levels(f["values"], "distinct: values", true)
}

func (k *distinct) asks(b *Rule) string { return b.levels("different values of " + k.of) }

func (k *distinct) looks() looks { return looks{each: k.of, presence: true} }

func (k *distinct) earned(b *Rule, s State, today string) []Award {
	return b.reached(k.have(b, s, today), "")
}

func (*distinct) have(b *Rule, s State, _ string) decimal.Decimal {
	return decimal.NewFromInt(int64(len(b.Values(s))))
}

func (*distinct) span(*Rule) int { return everyItem }
