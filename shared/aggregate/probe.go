package aggregate

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/shared/probe"
)

// Probe returns a function that asks one of the table's destinations, as At and the
// table itself name them, whether it takes what Add and Stand write. The function
// changes nothing. key is one that an item of the table could have. Probe returns nil
// for other destinations.
func (t *Table) Probe(destination string, key map[string]types.AttributeValue) func(context.Context) error {
	table := probe.Table{Client: t.Client, Name: t.Name, Key: key}
	ledger := probe.Table{Client: t.Client, Name: t.Ledger, Key: probe.Key(attrGroup, attrEntry)}
	switch destination {
	case tableNamed(t.Name):
		return table.UpdateItem
	case tableNamed(t.Ledger):
		return func(ctx context.Context) error { return ledger.Query(ctx, attrGroup) }
	case t.both():
		return func(ctx context.Context) error { return table.UpdateAndPut(ctx, ledger) }
	}
	return nil
}
