package aggregate

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/shopspring/decimal"

	"sluice/shared/consumer"
)

// DynamoDB's limits:
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const (
	maxPartitionKey = 2048 // bytes
	maxSortKey      = 1024
	maxItem         = 400 << 10
	largeValue      = maxItem / 4
)

// rejection returns the rejection of a change that DynamoDB refuses for good. Its text
// says which attribute of the target is at which limit, as far as the change's own values
// tell. DynamoDB's own text names no attribute.
func (t Target) rejection(values map[string]types.AttributeValue, err error) error {
	var why []string
	for _, attributes := range []map[string]types.AttributeValue{t.Key, t.Set} {
		for _, name := range slices.Sorted(maps.Keys(attributes)) {
			if n := size(attributes[name]); n > maxSortKey {
				why = append(why, fmt.Sprintf("%s would have %d bytes, but a partition key has at most %d and a sort key at most %d", name, n, maxPartitionKey, maxSortKey))
			}
		}
	}
	if len(why) == 0 {
		why = append(why, valueLimits(values)...)
	}
	return consumer.Reject(fmt.Errorf("DynamoDB never takes this: %s: %w", strings.Join(why, "; "), err))
}

// valueLimits lists the values and the limits that they may have met.
func valueLimits(values map[string]types.AttributeValue) []string {
	var numbers, large []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if n, ok := values[name].(*types.AttributeValueMemberN); ok {
			numbers = append(numbers, fmt.Sprintf("%s %s", name, shortNumber(n.Value)))
		} else if n := size(values[name]); n > largeValue {
			large = append(large, fmt.Sprintf("%s has %d bytes, and an item at most %d", name, n, maxItem))
		}
	}
	if len(large) > 0 {
		return large
	}
	return []string{fmt.Sprintf("with %s the item or one of its numbers is too large: a number has at most 38 digits, between 1E-130 and 9.9E+125, and an item %d bytes",
		strings.Join(numbers, ", "), maxItem)}
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
	if err != nil || len(text) <= 45 {
		return text
	}
	digits := strings.TrimRight(n.Coefficient().String(), "0")
	return fmt.Sprintf("%sE%+d", digits, int(n.Exponent())+len(n.Coefficient().String())-len(digits))
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
