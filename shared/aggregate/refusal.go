package aggregate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/shopspring/decimal"

	"sluice/shared/change"
	"sluice/shared/consumer"
)

// DynamoDB's limits:
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const (
	maxPartitionKey = 2048 // bytes
	maxSortKey      = 1024
	maxItem         = 400 << 10
	largeValue      = maxItem / 4
	numberLimits    = "a number has at most 38 digits, between 1E-130 and 9.9E+125"
)

// rejection returns the rejection of an amount that DynamoDB refuses for good. Its text says which attribute of the
// target is past which limit. DynamoDB's own text names no attribute. Unless the target and the amount show the
// limit, rejection looks at the item. An error that is a rejection already stays as it is.
func (t *Table) rejection(ctx context.Context, target Target, amount Amount, err error) error {
	if consumer.OutcomeOf(err) == consumer.Rejected {
		return err
	}
	values := amount.values()
	why := cmp.Or(target.keyLimits(), valueLimits(values))
	if why == "" && target.Key != nil {
		item, lookErr := t.look(ctx, target)
		if lookErr == nil { // else the refusal is just as final
			why = state{item: item}.limits(amount)
		}
	}
	if why == "" {
		why = fmt.Sprintf("with %s the item or an index has something past a limit: %s, an item has at most %d bytes, and an index has its own types",
			strings.Join(slices.Sorted(maps.Keys(values)), ", "), numberLimits, maxItem)
	}
	return consumer.Reject(fmt.Errorf("DynamoDB never takes this: %s: %w", why, err))
}

// look returns the item. It takes the right to update and not the one to read, which a function may not have:
// it is an update whose condition never holds.
func (t *Table) look(ctx context.Context, target Target) (map[string]types.AttributeValue, error) {
	e := newExpression()
	e.condition("attribute_exists(%[1]s) AND attribute_not_exists(%[1]s)", e.name(keyName(target)))
	e.values = nil // DynamoDB refuses none that is written as an empty map
	item, _, err := t.write(ctx, target, e)
	return item, err
}

// keyLimits returns which attributes of the key, or of those written with it, are past a key's limits; "" if none is.
func (t Target) keyLimits() string {
	var past []string
	for _, attributes := range []map[string]types.AttributeValue{t.Key, t.Set} {
		for _, name := range slices.Sorted(maps.Keys(attributes)) {
			switch text, isText := attributes[name].(*types.AttributeValueMemberS); {
			case isText && text.Value == "":
				past = append(past, name+" would be empty, which no key may be")
			case size(attributes[name]) > maxSortKey:
				past = append(past, fmt.Sprintf("%s would have %d bytes, but a partition key has at most %d and a sort key at most %d", name, size(attributes[name]), maxPartitionKey, maxSortKey))
			}
		}
	}
	return strings.Join(past, "; ")
}

// valueLimits returns which values are past a limit themselves; "" if none is.
func valueLimits(values map[string]types.AttributeValue) string {
	var past []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		n, isNumber := values[name].(*types.AttributeValueMemberN)
		switch bytes := size(values[name]); {
		case isNumber && !change.IsNumber(n.Value):
			past = append(past, fmt.Sprintf("%s would be %s, but %s", name, shortNumber(n.Value), numberLimits))
		case !isNumber && bytes > largeValue:
			past = append(past, fmt.Sprintf("%s has %d bytes, and an item at most %d", name, bytes, maxItem))
		}
	}
	return strings.Join(past, "; ")
}

// limits returns what of the item stands in the amount's way: an attribute that somebody else has written, a sum that
// can't be held, or the item's size; "" if nothing is known.
func (s state) limits(amount Amount) string {
	if rejection, ok := errors.AsType[*consumer.Rejection](s.foreign(amount)); ok {
		return rejection.Err.Error()
	}
	var past []string
	bytes := 0
	for _, name := range slices.Sorted(maps.Keys(s.item)) {
		bytes += len(name) + size(s.item[name])
		sum := name
		if strings.HasPrefix(name, ShadowPrefix) {
			_, sum, _ = strings.Cut(strings.TrimPrefix(name, ShadowPrefix), ".")
		}
		add, summed := amount.Add[sum]
		if !summed {
			continue
		}
		before, isNumber := s.number(name)
		if after := number(before.Add(add)).(*types.AttributeValueMemberN); !isNumber {
			past = append(past, errForeign(name, "a number").Error())
		} else if !change.IsNumber(after.Value) {
			past = append(past, fmt.Sprintf("%s is %s, and with %s more it would be %s, but %s",
				name, shortNumber(before.String()), shortNumber(add.String()), shortNumber(after.Value), numberLimits))
		}
	}
	if len(past) == 0 && bytes > maxItem/2 {
		past = append(past, fmt.Sprintf("the item would grow from %d bytes to more than an item has at most, %d", bytes, maxItem))
	}
	return strings.Join(past, "; ")
}

// values are what an amount does, by attribute.
func (a Amount) values() map[string]types.AttributeValue {
	values := map[string]types.AttributeValue{}
	for _, numbers := range []map[string]decimal.Decimal{a.Add, a.Smallest, a.Largest} {
		maps.Copy(values, numbersOf(numbers))
	}
	maps.Copy(values, a.Latest)
	return values
}

func numbersOf(numbers map[string]decimal.Decimal) map[string]types.AttributeValue {
	values := map[string]types.AttributeValue{}
	for name, n := range numbers {
		values[name] = number(n)
	}
	return values
}

// shortNumber writes a number of many digits as digits and exponent.
func shortNumber(text string) string {
	n, err := decimal.NewFromString(text)
	if err != nil || len(text) <= 38 {
		return text
	}
	whole := n.Coefficient().String()
	digits := strings.TrimRight(whole, "0")
	exponent := int(n.Exponent()) + len(whole) - len(digits)
	if exponent == 0 {
		return digits
	}
	return fmt.Sprintf("%sE%+d", digits, exponent)
}

// size returns the bytes of a text, number or binary value, and of what lists and maps
// hold.
func size(v types.AttributeValue) int {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return len(v.Value)
	case *types.AttributeValueMemberN:
		return len(v.Value)
	case *types.AttributeValueMemberB:
		return len(v.Value)
	case *types.AttributeValueMemberL:
		n := 0
		for _, element := range v.Value {
			n += size(element)
		}
		return n
	case *types.AttributeValueMemberM:
		n := 0
		for name, element := range v.Value {
			n += len(name) + size(element)
		}
		return n
	}
	return 0
}
