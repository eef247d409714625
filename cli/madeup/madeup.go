// Package madeup makes up items that a pipeline's declarations take.
package madeup

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/deploy/sections"
	"sluice/shared/declaration"
	"sluice/shared/operate"
)

// Table is a table for which items can be made up.
type Table struct {
	sections.Table
	Samples []declaration.Sample // what the declarations take
	Kept    bool                 // a consumer writes the table itself
}

// Tables returns the tables of the checkout at root whose changes go into the stream.
func Tables(root string, p declaration.Pipeline, consumers []operate.Consumer) ([]Table, error) {
	d, err := p.Defaults()
	if err != nil {
		return nil, err
	}
	var kept []string
	samples := map[string][]declaration.Sample{}
	for _, c := range operate.Offering[operate.Declarer](consumers) {
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
	var found []Table
	for _, t := range tables {
		if t.Changes != nil {
			found = append(found, Table{t, samples[t.Name], slices.Contains(kept, t.Name)})
		}
	}
	return found, nil
}

// Item makes up the nth item, by the samples in any order.
func (m Table) Item(r *rand.Rand, n int) map[string]types.AttributeValue {
	shuffled := slices.Clone(m.Samples)
	r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	return m.ItemOf(r, n, shuffled...)
}

// ItemOf makes up the nth item, by the first sample before the others.
func (m Table) ItemOf(r *rand.Rand, n int, samples ...declaration.Sample) map[string]types.AttributeValue {
	item := declaration.Item(r, samples...)
	for i, key := range m.Keys {
		name := aws.ToString(key.AttributeName)
		item[name] = m.key(item[name], name, i == len(m.Keys)-1, n)
	}
	return item
}

// key returns the value of a key attribute: what the samples say, if it is of the key's type, with a number behind it where only the
// last key attribute tells items apart.
func (m Table) key(held types.AttributeValue, name string, last bool, n int) types.AttributeValue {
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
	case last:
		if at, err := time.Parse(time.RFC3339, text.Value); err == nil {
			return &types.AttributeValueMemberS{Value: at.Add(time.Duration(n) * time.Second).Format(time.RFC3339)}
		}
	}
	return text
}

// KeyOf returns the key of an item.
func (m Table) KeyOf(item map[string]types.AttributeValue) map[string]types.AttributeValue {
	key := map[string]types.AttributeValue{}
	for _, k := range m.Keys {
		key[*k.AttributeName] = item[*k.AttributeName]
	}
	return key
}
