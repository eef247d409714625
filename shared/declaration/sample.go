package declaration

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Sample is what an item holds that a declaration takes, so that items can be made up for it.
type Sample struct {
	Table string
	Holds []Holding
}

// Holding is a value of an item.
type Holding struct {
	Path  Path
	Value func(r *rand.Rand) types.AttributeValue
}

// Hold adds values that are made with make at these paths. A path of nothing is passed over.
func (s *Sample) Hold(value func(r *rand.Rand) types.AttributeValue, paths ...Path) {
	for _, p := range paths {
		if !p.IsZero() {
			s.Holds = append(s.Holds, Holding{p, value})
		}
	}
}

// HoldAll adds values that meet conditions.
func (s *Sample) HoldAll(conditions []Condition) {
	for _, c := range conditions {
		s.Hold(func(*rand.Rand) types.AttributeValue { return c.Example() }, c.Attribute)
	}
}

// anyTexts are few, so that items share them.
var anyTexts = []string{"ann", "bob", "cem", "dot", "eve"}

// AnyText is one of a few texts.
func AnyText(r *rand.Rand) types.AttributeValue {
	return &types.AttributeValueMemberS{Value: anyTexts[r.IntN(len(anyTexts))]}
}

// IsAnyText reports whether a text is one that AnyText makes.
func IsAnyText(text string) bool { return slices.Contains(anyTexts, text) }

// AnyNumber is a whole number from 1 to 99.
func AnyNumber(r *rand.Rand) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: fmt.Sprint(1 + r.IntN(99))}
}

// AnyTruth is true or false.
func AnyTruth(r *rand.Rand) types.AttributeValue {
	return &types.AttributeValueMemberBOOL{Value: r.IntN(2) == 0}
}

// AnyTime is a time of the last week, in seconds, as RFC 3339 has it.
func AnyTime(r *rand.Rand) types.AttributeValue {
	return &types.AttributeValueMemberS{Value: time.Now().Add(-time.Duration(r.IntN(7*24*3600)) * time.Second).UTC().Format(time.RFC3339)}
}

// Item makes up an item of a table that holds what the first of the samples says, and of the others what doesn't contradict.
func Item(r *rand.Rand, samples ...Sample) map[string]types.AttributeValue {
	item := map[string]types.AttributeValue{}
	for _, s := range samples {
		for _, h := range s.Holds {
			h.Path.PutNew(item, h.Value(r))
		}
	}
	return item
}
