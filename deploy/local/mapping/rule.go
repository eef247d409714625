package mapping

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// rule tells whether it takes a value; present is false if there is none.
type rule func(value any, present bool) bool

func compileRules(list []any) ([]rule, error) {
	if len(list) == 0 {
		return nil, errors.New("the list is empty and would match nothing")
	}
	var rules []rule
	for _, element := range list {
		operator, ok := element.(map[string]any)
		if !ok {
			rules = append(rules, equals(element))
			continue
		}
		if len(operator) != 1 {
			return nil, fmt.Errorf("%v: an operator has one name", operator)
		}
		for name, argument := range operator {
			r, err := compileOperator(name, argument)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			rules = append(rules, r)
		}
	}
	return rules, nil
}

func compileOperator(name string, argument any) (rule, error) {
	text, isText := argument.(string)
	onText := func(test func(value string) bool) (rule, error) {
		if !isText {
			return nil, fmt.Errorf("%v is not a string", argument)
		}
		return func(value any, present bool) bool {
			s, ok := value.(string)
			return present && ok && test(s)
		}, nil
	}
	switch name {
	case "prefix":
		return onText(func(value string) bool { return strings.HasPrefix(value, text) })
	case "suffix":
		return onText(func(value string) bool { return strings.HasSuffix(value, text) })
	case "equals-ignore-case":
		return onText(func(value string) bool { return strings.EqualFold(value, text) })
	case "exists":
		want, ok := argument.(bool)
		if !ok {
			return nil, fmt.Errorf("%v is not true or false", argument)
		}
		return func(_ any, present bool) bool { return present == want }, nil
	case "anything-but":
		return anythingBut(argument)
	case "numeric":
		return numeric(argument)
	default:
		return nil, errors.New("the operator is not known, or not emulated")
	}
}

// equals takes exactly the value; numbers are compared by value.
func equals(want any) rule {
	if want, ok := number(want); ok {
		return func(value any, present bool) bool {
			got, ok := number(value)
			return present && ok && got.Cmp(want) == 0
		}
	}
	return func(value any, present bool) bool { return present && value == want }
}

// anythingBut takes what is there and is none of the strings or numbers.
func anythingBut(argument any) (rule, error) {
	list, ok := argument.([]any)
	if !ok {
		list = []any{argument}
	}
	var unwanted []rule
	for _, element := range list {
		switch element.(type) {
		case string, json.Number:
			unwanted = append(unwanted, equals(element))
		default:
			return nil, fmt.Errorf("%v is not a string or number", element)
		}
	}
	if len(unwanted) == 0 {
		return nil, errors.New("the list is empty")
	}
	return func(value any, present bool) bool {
		return present && !slices.ContainsFunc(unwanted, func(r rule) bool { return r(value, true) })
	}, nil
}

// numeric takes the numbers for which every comparison holds: ["=", 5], or [">", 0, "<=", 5].
func numeric(argument any) (rule, error) {
	list, ok := argument.([]any)
	if !ok || len(list) != 2 && len(list) != 4 {
		return nil, errors.New("it needs one or two comparisons, like [\">\", 0, \"<=\", 5]")
	}
	holds := map[string]func(cmp int) bool{
		"=":  func(cmp int) bool { return cmp == 0 },
		"<":  func(cmp int) bool { return cmp < 0 },
		"<=": func(cmp int) bool { return cmp <= 0 },
		">":  func(cmp int) bool { return cmp > 0 },
		">=": func(cmp int) bool { return cmp >= 0 },
	}
	var tests []func(*big.Float) bool
	for i := 0; i < len(list); i += 2 {
		name, _ := list[i].(string)
		test, known := holds[name]
		bound, isNumber := number(list[i+1])
		if !known || !isNumber {
			return nil, fmt.Errorf("%v %v is not a comparison with a number", list[i], list[i+1])
		}
		tests = append(tests, func(value *big.Float) bool { return test(value.Cmp(bound)) })
	}
	return func(value any, present bool) bool {
		n, ok := number(value)
		return present && ok && !slices.ContainsFunc(tests, func(test func(*big.Float) bool) bool { return !test(n) })
	}, nil
}

// number reads a JSON number, with more digits than DynamoDB has.
func number(value any) (*big.Float, bool) {
	text, ok := value.(json.Number)
	if !ok {
		return nil, false
	}
	n, _, err := big.ParseFloat(text.String(), 10, 256, big.ToNearestEven)
	return n, err == nil
}
