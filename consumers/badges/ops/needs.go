package ops

import (
	"sluice/consumers/badges"
	"sluice/consumers/badges/rule"
	"sluice/shared/declaration"
	"sluice/shared/operate"
)

var _ operate.Declarer = registered{}

// Needs implements operate.Declarer: rules write only the consumer's own tables and topic, so they need no rights of their own.
func (registered) Needs(d declaration.Declarations) (operate.Needs, error) {
	n := operate.Needs{File: badges.RulesFile}
	book, err := badges.DefaultSettings().Rules(d)
	if err != nil {
		return n, err
	}
	for _, v := range book.Views {
		n.Sources, n.Samples = append(n.Sources, v.Source), append(n.Samples, v.Sample())
	}
	for _, one := range book.Rules {
		if one.Kind == rule.Item {
			n.Sources, n.Samples = append(n.Sources, one.Source.Table), append(n.Samples, one.Sample())
		}
	}
	return n, nil
}
