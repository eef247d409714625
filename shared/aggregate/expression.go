package aggregate

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/shopspring/decimal"
)

// expression collects the clauses of one update with their names and values.
type expression struct {
	names      map[string]string
	values     map[string]types.AttributeValue
	adds       []string
	sets       []string
	removals   []string // of elements of sets
	drops      []string // of attributes
	conditions []string
}

func newExpression() *expression {
	return &expression{names: map[string]string{}, values: map[string]types.AttributeValue{}}
}

// name returns the placeholder of an attribute's name, which may hold anything.
func (e *expression) name(attribute string) string {
	for placeholder, name := range e.names {
		if name == attribute {
			return placeholder
		}
	}
	placeholder := "#n" + strconv.Itoa(len(e.names))
	e.names[placeholder] = attribute
	return placeholder
}

// value returns a placeholder for a value.
func (e *expression) value(v types.AttributeValue) string {
	placeholder := ":v" + strconv.Itoa(len(e.values))
	e.values[placeholder] = v
	return placeholder
}

func (e *expression) number(n int64) string { return e.value(number64(n)) }

func (e *expression) add(attribute string, v types.AttributeValue) {
	e.adds = append(e.adds, e.name(attribute)+" "+e.value(v))
}

func (e *expression) set(attributes map[string]types.AttributeValue) {
	for _, attribute := range slices.Sorted(maps.Keys(attributes)) {
		e.sets = append(e.sets, e.name(attribute)+" = "+e.value(attributes[attribute]))
	}
}

// begin gives a sum that isn't there 0.
func (e *expression) begin(sum string) {
	e.sets = append(e.sets, fmt.Sprintf("%[1]s = if_not_exists(%[1]s, %[2]s)", e.name(sum), e.number(0)))
}

// remove takes elements out of a set.
func (e *expression) remove(attribute string, elements types.AttributeValue) {
	e.removals = append(e.removals, e.name(attribute)+" "+e.value(elements))
}

func (e *expression) condition(format string, args ...any) {
	e.conditions = append(e.conditions, fmt.Sprintf(format, args...))
}

// conditionText returns nil if there are no conditions.
func (e *expression) conditionText() *string {
	if len(e.conditions) == 0 {
		return nil
	}
	text := strings.Join(e.conditions, " AND ")
	return &text
}

// updateText returns nil if there are no clauses.
func (e *expression) updateText() *string {
	var clauses []string
	for _, c := range []struct {
		verb  string
		parts []string
	}{{"ADD", e.adds}, {"SET", e.sets}, {"REMOVE", e.drops}, {"DELETE", e.removals}} {
		if len(c.parts) > 0 {
			clauses = append(clauses, c.verb+" "+strings.Join(c.parts, ", "))
		}
	}
	if len(clauses) == 0 {
		return nil
	}
	text := strings.Join(clauses, " ")
	return &text
}

func number(d decimal.Decimal) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: d.String()}
}

func number64(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}
