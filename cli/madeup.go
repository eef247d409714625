package cli

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/deploy/sections"
	"sluice/shared/declaration"
	"sluice/shared/operate"
)

// madeUp makes up items of a table that the declarations take.
type madeUp struct {
	sections.Table
	samples []declaration.Sample
}

// madeUpTables returns the tables of a checkout whose changes go into the stream, and that no consumer writes itself.
func madeUpTables(root string, p declaration.Pipeline, consumers registry) ([]madeUp, error) {
	d, err := p.Defaults()
	if err != nil {
		return nil, err
	}
	var kept []string
	samples := map[string][]declaration.Sample{}
	for _, c := range offering[operate.Declarer](consumers) {
		n, err := c.Needs(d)
		if err != nil {
			return nil, err
		}
		kept = append(kept, n.Kept...)
		for _, s := range n.Samples {
			samples[s.Table] = append(samples[s.Table], s)
		}
	}
	tables, err := sections.Tables(root)
	if err != nil {
		return nil, err
	}
	var found []madeUp
	for _, t := range tables {
		if t.Changes != nil && !slices.Contains(kept, t.Name) {
			found = append(found, madeUp{t, samples[t.Name]})
		}
	}
	return found, nil
}

// item makes up the nth item.
func (m madeUp) item(r *rand.Rand, n int) map[string]types.AttributeValue {
	shuffled := slices.Clone(m.samples)
	r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	item := declaration.Item(r, shuffled...)
	for i, key := range m.Keys {
		name := aws.ToString(key.AttributeName)
		item[name] = m.key(item[name], name, i == len(m.Keys)-1, n)
	}
	return item
}

// key returns the value of a key attribute: what the samples say, if it is of the key's type, with a number behind it where only the
// last key attribute tells items apart.
func (m madeUp) key(held types.AttributeValue, name string, last bool, n int) types.AttributeValue {
	i := slices.IndexFunc(m.Attributes, func(a types.AttributeDefinition) bool { return aws.ToString(a.AttributeName) == name })
	switch m.Attributes[i].AttributeType {
	case types.ScalarAttributeTypeN:
		if _, is := held.(*types.AttributeValueMemberN); is && !last {
			return held
		}
		return &types.AttributeValueMemberN{Value: fmt.Sprint(n)}
	case types.ScalarAttributeTypeB:
		return &types.AttributeValueMemberB{Value: fmt.Append(nil, n)}
	}
	text, is := held.(*types.AttributeValueMemberS)
	switch {
	case !is:
		return &types.AttributeValueMemberS{Value: fmt.Sprintf("made-up-%d", n)}
	case last && declaration.IsAnyText(text.Value):
		return &types.AttributeValueMemberS{Value: fmt.Sprintf("%s-%d", text.Value, n)}
	}
	return text
}

// keysOf returns the key of an item.
func (m madeUp) keysOf(item map[string]types.AttributeValue) map[string]types.AttributeValue {
	key := map[string]types.AttributeValue{}
	for _, k := range m.Keys {
		key[*k.AttributeName] = item[*k.AttributeName]
	}
	return key
}
