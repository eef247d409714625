package store

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/shared/probe"
)

// Probe returns a function that asks the table, or the region's tombstones, if
// destination names one of them, whether it takes what copies need. The function
// changes nothing. Probe returns nil for another destination.
func (t *Table) Probe(destination string) func(context.Context) error {
	switch destination {
	case t.where(t.Name):
		return t.probe(t.Name, probe.Table.PutItem, probe.Table.DeleteItem)
	case t.where(t.Tombstones):
		return t.probe(t.Tombstones, probe.Table.PutItem, probe.Table.GetItem)
	}
	return nil
}

// Probe is Table.Probe for the tables of all regions.
func (p *Peers) Probe(destination string) func(context.Context) error {
	for _, t := range p.All() {
		if destination == t.where(p.Conflicts) {
			return t.probe(p.Conflicts, probe.Table.PutItem)
		}
		if destination == t.where(t.Name) || destination == t.where(t.Tombstones) {
			return t.Probe(destination)
		}
	}
	return nil
}

// probe returns a function that makes the calls on the table of this name, with a key whose attributes the table itself knows.
func (t *Table) probe(table string, calls ...func(probe.Table, context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		keys, err := t.keys(ctx, table)
		if err != nil {
			return err
		}
		asked := probe.Table{Client: t.Client, Name: table, Key: Item{}}
		for name, attributeType := range keys {
			switch attributeType {
			case "B":
				asked.Key[name] = &types.AttributeValueMemberB{Value: []byte(probe.Text)}
			case "N":
				asked.Key[name] = &types.AttributeValueMemberN{Value: "0"}
			default:
				asked.Key[name] = &types.AttributeValueMemberS{Value: probe.Text}
			}
		}
		for _, call := range calls {
			if err := call(asked, ctx); err != nil {
				return err
			}
		}
		return nil
	}
}
