package view

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"sluice/shared/change"
	"sluice/shared/declaration"
)

// sum is one that a view keeps: of numbers of the items, or a count of the items or of what is in them.
type sum struct {
	into  string                  // attribute of the view's items
	of    declaration.Path        // to numbers of the source's items, or what is counted in them; zero: the items are counted
	count bool                    // what of leads to is counted, not added
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
		if !declaration.AllHoldIn(s.where, i.keys, i.image) {
			continue
		}
		number, err := s.amount(i)
		if err != nil {
			return nil, err
		}
		amounts[s.into] = number.Mul(factor)
	}
	return amounts, nil
}

// amount returns what an item counts for. An image may count in full or not at all, so one member of a list that isn't
// as needed is an error for all of it.
func (s sum) amount(i item) (decimal.Decimal, error) {
	switch {
	case s.of.IsZero():
		return one, nil
	case !s.of.Lists():
		return i.number(s.of)
	}
	total := decimal.Zero
	err := s.of.Each(i.keys, i.image, func(v change.Value) error {
		number, err := one, error(nil)
		if !s.count {
			number, err = i.numberOf(s.of, v)
		}
		total = total.Add(number)
		return err
	})
	return total, err
}

var one = decimal.NewFromInt(1)

// number reads a number of the item.
func (i item) number(p declaration.Path) (decimal.Decimal, error) {
	v, err := i.value(p)
	if err != nil {
		return decimal.Zero, err
	}
	return i.numberOf(p, v)
}

// numberOf reads a value to which a path has led.
func (i item) numberOf(p declaration.Path, v change.Value) (decimal.Decimal, error) {
	if v.Type() != change.N {
		return decimal.Zero, p.TypeError(i.keys, i.image, change.N, v.Type())
	}
	number, err := decimal.NewFromString(v.Text())
	if err != nil {
		return number, fmt.Errorf("attribute %q: %w", p, err)
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
			add(p.At, w.counted(p), "count")
		}
	default:
		into := w.Text(count, "count")
		if strings.HasSuffix(into, "[]") {
			w.Fault(count.At, "count names the attribute that counts items; a count of a list's members is written {Name: %s}", into)
		} else if into != "" {
			add(count.At, sum{into: into}, "count")
		}
	}
	for _, p := range w.Pairs(total, "sum") {
		s := sum{into: p.Key}
		if p.Value.Kind == declaration.Object {
			f := w.Fields(p.Value, "sum: "+p.Key, "of", "where")
			s.of, s.where = w.Members(f["of"], "sum: "+p.Key+": of"), w.Conditions(f["where"], "sum: "+p.Key+": where")
		} else {
			s.of = w.Members(p.Value, "sum: "+p.Key)
		}
		add(p.At, s, "sum")
	}
	slices.SortFunc(sums, func(a, b sum) int { return cmp.Compare(a.into, b.into) })
	return sums
}

// counted reads one of several counts: of the items that meet conditions, or of the members of a list.
func (w written) counted(p declaration.Pair) sum {
	what := "count: " + p.Key
	if p.Value.Kind != declaration.Scalar {
		return sum{into: p.Key, where: w.Conditions(p.Value, what)}
	}
	s := sum{into: p.Key, of: w.Members(p.Value, what), count: true}
	if !s.of.IsZero() && !s.of.EndsInList() {
		w.Fault(p.Value.At, "%s: %s is one value of an item, and a list's members are counted by a path that ends with []; to count items, give the conditions that they meet, {} for all", what, s.of)
	}
	return s
}
