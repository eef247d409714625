package aggregate

import (
	"bytes"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/shopspring/decimal"
)

// attrLatestChange is the id of the change that the item's latest values are of.
// An id begins with its change's version, and two changes with the same version
// are in the order of their hashes, so that every order of delivery ends alike.
const attrLatestChange = "LatestChange"

// write adds what part does to the item to e, all but the ids.
//
// Latest, smallest and largest values are written with the condition that the
// item holds no better one: it almost always holds for the latest, since changes
// mostly come in order. If it doesn't, the item comes back with the refusal, and
// the next step leaves out what isn't better than the item's. That stays right
// whatever others write meanwhile, since those values only ever get better.
func (a *Addition) write(e *expression, part []pendingAmount) {
	for _, attribute := range attributes(part, func(p pendingAmount) map[string]decimal.Decimal { return p.Add }) {
		var sum, rebuilt decimal.Decimal
		generation := int64(0)
		for _, p := range part {
			sum = sum.Add(p.Add[attribute])
			if g := a.target.Rebuilds.shadows(a.target, p.ID.Time()); g > 0 {
				generation, rebuilt = g, rebuilt.Add(p.Add[attribute])
			}
		}
		e.add(attribute, number(sum))
		if generation > 0 {
			e.add(shadow(generation, attribute), number(rebuilt))
		}
	}
	e.set(a.target.Set)
	a.writeValues(e, part)
}

// writeValues adds to e the values that are no sums. They may be written again.
func (a *Addition) writeValues(e *expression, part []pendingAmount) {
	a.writeLatest(e, part)
	a.writeExtremes(e, part, ">", func(p pendingAmount) map[string]decimal.Decimal { return p.Smallest })
	a.writeExtremes(e, part, "<", func(p pendingAmount) map[string]decimal.Decimal { return p.Largest })
}

func (a *Addition) writeLatest(e *expression, part []pendingAmount) {
	for _, p := range slices.Backward(part) { // newest first
		if p.Latest == nil {
			continue
		}
		if bytes.Compare(p.ID[:], a.seen.latest) > 0 {
			id := &types.AttributeValueMemberB{Value: bytes.Clone(p.ID[:])}
			e.condition("(attribute_not_exists(%[1]s) OR %[1]s < %[2]s)", e.name(attrLatestChange), e.value(id))
			e.set(map[string]types.AttributeValue{attrLatestChange: id})
			e.set(p.Latest)
		}
		return
	}
}

// writeExtremes writes part's best value of each attribute; worse is the
// comparison that holds for an item's value that ours is better than.
func (a *Addition) writeExtremes(e *expression, part []pendingAmount, worse string, values func(pendingAmount) map[string]decimal.Decimal) {
	better := func(x, y decimal.Decimal) bool {
		if worse == ">" {
			return x.LessThan(y)
		}
		return x.GreaterThan(y)
	}
	for _, attribute := range attributes(part, values) {
		best, found := a.seen.number(attribute)
		ours := false
		for _, p := range part {
			if value, ok := values(p)[attribute]; ok && (!found || better(value, best)) {
				best, found, ours = value, true, true
			}
		}
		if !ours {
			continue
		}
		value := number(best)
		e.condition("(attribute_not_exists(%[1]s) OR %[1]s %[2]s %[3]s)", e.name(attribute), worse, e.value(value))
		e.set(map[string]types.AttributeValue{attribute: value})
	}
}

// attributes returns the names that any amount of part has, sorted.
func attributes(part []pendingAmount, values func(pendingAmount) map[string]decimal.Decimal) []string {
	names := map[string]bool{}
	for _, p := range part {
		for name := range values(p) {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}
