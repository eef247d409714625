package view

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"sluice/shared/change"
	"sluice/shared/declaration"
)

// sum is one that a view keeps: of a number of the items, or of the items themselves.
type sum struct {
	into  string                  // attribute of the view's items
	of    string                  // attribute of the source's items; empty: their count
	where []declaration.Condition // which of the view's items count
}

// sumNames are the attributes of the view's items that are sums or counts.
func (v *View) sumNames() []string {
	names := make([]string, len(v.sums))
	for i, s := range v.sums {
		names[i] = s.into
	}
	return names
}

// writes tells whether the view keeps a number in the attribute.
func (v *View) writes(attribute string) bool {
	_, smallest := v.smallest[attribute]
	_, largest := v.largest[attribute]
	return smallest || largest || slices.Contains(append(v.sumNames(), v.since), attribute)
}

// amounts returns what an item counts for, times factor, in those sums that it counts in.
func (v *View) amounts(i item, factor decimal.Decimal) (map[string]decimal.Decimal, error) {
	amounts := make(map[string]decimal.Decimal, len(v.sums))
	for _, s := range v.sums {
		if !declaration.AllHold(s.where, i.typed) {
			continue
		}
		amounts[s.into] = factor
		if s.of == "" {
			continue
		}
		number, err := i.number(s.of)
		if err != nil {
			return nil, err
		}
		amounts[s.into] = number.Mul(factor)
	}
	return amounts, nil
}

// number reads a number of the item.
func (i item) number(attribute string) (decimal.Decimal, error) {
	text, err := i.text(attribute, change.N)
	if err != nil {
		return decimal.Zero, err
	}
	number, err := decimal.NewFromString(text)
	if err != nil {
		return number, fmt.Errorf("attribute %q: %w", attribute, err)
	}
	return number, nil
}

// sums reads `count:` and `sum:`.
func (w written) sums(count, total node) []sum {
	var sums []sum
	add := func(at position, s sum, what string) {
		w.add(at, s.into, what)
		sums = append(sums, s)
	}
	switch count.Kind {
	case declaration.Absent:
	case declaration.Object:
		for _, p := range w.Pairs(count, "count") {
			add(p.At, sum{into: p.Key, where: w.Conditions(p.Value, "count: "+p.Key)}, "count")
		}
	default:
		if into := w.Text(count, "count"); into != "" {
			add(count.At, sum{into: into}, "count")
		}
	}
	for _, p := range w.Pairs(total, "sum") {
		s := sum{into: p.Key}
		if p.Value.Kind == declaration.Object {
			f := w.Fields(p.Value, "sum: "+p.Key, "of", "where")
			s.of, s.where = w.Text(f["of"], "sum: "+p.Key+": of"), w.Conditions(f["where"], "sum: "+p.Key+": where")
		} else {
			s.of = w.Text(p.Value, "sum: "+p.Key)
		}
		add(p.At, s, "sum")
	}
	slices.SortFunc(sums, func(a, b sum) int { return cmp.Compare(a.into, b.into) })
	return sums
}
