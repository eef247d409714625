package mapping

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// pattern is an object of a pattern: every field and one pattern of every $or must match.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
type pattern struct {
	fields map[string]fieldPattern
	or     []pattern
}

// fieldPattern is either an object that the field's value is looked into with, or rules of which one must match.
type fieldPattern struct {
	object *pattern
	rules  []rule
}

func newPattern(text string) (pattern, error) {
	value, err := parse([]byte(text))
	if err != nil {
		return pattern{}, fmt.Errorf("not JSON: %w", err)
	}
	object, ok := value.(map[string]any)
	if !ok {
		return pattern{}, errors.New("not a JSON object")
	}
	p, err := compile(object)
	if err != nil {
		return pattern{}, err
	}
	if data, ok := p.fields["data"]; ok && data.object == nil {
		return pattern{}, errors.New("data must be a JSON object: Lambda refuses other patterns for Kinesis")
	}
	return p, nil
}

func compile(object map[string]any) (pattern, error) {
	p := pattern{fields: map[string]fieldPattern{}}
	if len(object) == 0 {
		return p, errors.New("an object has no field")
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		value := object[name]
		if alternatives, ok := value.([]any); ok && name == "$or" {
			for _, alternative := range alternatives {
				o, ok := alternative.(map[string]any)
				if !ok {
					return p, errors.New("$or: not a list of objects")
				}
				alternative, err := compile(o)
				if err != nil {
					return p, fmt.Errorf("$or: %w", err)
				}
				p.or = append(p.or, alternative)
			}
			continue
		}
		var field fieldPattern
		var err error
		switch v := value.(type) {
		case map[string]any:
			var inner pattern
			inner, err = compile(v)
			field.object = &inner
		case []any:
			field.rules, err = compileRules(v)
		default:
			err = errors.New("its value must be a list or an object")
		}
		if err != nil {
			return p, fmt.Errorf("%s: %w", name, err)
		}
		p.fields[name] = field
	}
	return p, nil
}

func (p *pattern) matches(event map[string]any) bool {
	for name, field := range p.fields {
		value, present := event[name]
		if !field.matches(value, present) {
			return false
		}
	}
	return len(p.or) == 0 || slices.ContainsFunc(p.or, func(alternative pattern) bool { return alternative.matches(event) })
}

// matches looks into lists: one element that matches is enough.
func (f *fieldPattern) matches(value any, present bool) bool {
	if list, ok := value.([]any); ok {
		if len(list) == 0 {
			return f.matches(nil, false)
		}
		return slices.ContainsFunc(list, func(element any) bool { return f.matches(element, true) })
	}
	object, isObject := value.(map[string]any)
	if f.object != nil {
		return f.object.matches(object) // of no object, every field is absent
	}
	if isObject {
		return false // rules are for leaves
	}
	return slices.ContainsFunc(f.rules, func(r rule) bool { return r(value, present) })
}
