package aggregate

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/shopspring/decimal"

	"sluice/shared/change"
	"sluice/shared/consumer"
)

// rejectForeign ends the amounts that can never be added to the item, since an attribute of the item that they need
// has a type that Sluice doesn't write. The conditions of their writes would fail for ever.
func (a *Addition) rejectForeign() {
	if a.seen.item == nil {
		return
	}
	rest := make([]pendingAmount, 0, len(a.pending))
	for _, p := range a.pending {
		if err := a.seen.foreign(p.Amount); err != nil {
			a.errs[p.index] = consumer.In(fmt.Sprintf("%s, group %.100q", a.table.Name, a.target.Group), err)
		} else {
			rest = append(rest, p)
		}
	}
	a.pending = rest
}

// foreign returns a rejection that names the first attribute that somebody else must have written, of those that
// an addition of the amount reads or adds to. It returns nil if there is none.
func (s state) foreign(amount Amount) error {
	names := map[string]func(string, types.AttributeValue) error{attrIDs: foreignIDs, attrSpillTime: foreignInteger, AttrGeneration: foreignInteger}
	if amount.Latest != nil {
		names[attrLatestChange] = foreignID
	}
	for _, numbers := range []map[string]decimal.Decimal{amount.Add, amount.Smallest, amount.Largest} {
		for name := range numbers {
			names[name] = foreignNumber
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if value, ok := s.item[name]; ok {
			if err := names[name](name, value); err != nil {
				return err
			}
		}
	}
	return nil
}

func foreignNumber(name string, value types.AttributeValue) error {
	if _, ok := value.(*types.AttributeValueMemberN); !ok {
		return errForeign(name, "a number")
	}
	return nil
}

func foreignInteger(name string, value types.AttributeValue) error {
	if _, err := integer(value); err != nil {
		return errForeign(name, "a whole number")
	}
	return nil
}

func foreignID(name string, value types.AttributeValue) error {
	if _, ok := value.(*types.AttributeValueMemberB); !ok {
		return errForeign(name, "the id of a change")
	}
	return nil
}

func foreignIDs(name string, value types.AttributeValue) error {
	set, ok := value.(*types.AttributeValueMemberBS)
	if !ok || slices.ContainsFunc(set.Value, func(id []byte) bool { return len(id) != len(change.ID{}) }) {
		return errForeign(name, "ids of changes")
	}
	return nil
}

func errForeign(name, want string) error {
	return consumer.Reject(fmt.Errorf("attribute %s of the item should hold %s and doesn't: somebody else has written it; correct or remove it, then redrive", name, want))
}

// integer reads a number of the type N without a fraction.
func integer(value types.AttributeValue) (int64, error) {
	n, ok := value.(*types.AttributeValueMemberN)
	if !ok {
		return 0, fmt.Errorf("%T is no number", value)
	}
	return strconv.ParseInt(n.Value, 10, 64)
}
