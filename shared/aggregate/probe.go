package aggregate

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/shared/consumer"
	"sluice/shared/probe"
)

// Probe asks one of the table's destinations, as At and the table itself name them,
// whether it takes what Add and Stand write. key is one that an item of the table
// could have. It changes nothing. ErrNoProbe is returned for other destinations.
func (t *Table) Probe(ctx context.Context, destination string, key map[string]types.AttributeValue) error {
	table := probe.Table{Client: t.Client, Name: t.Name, Key: key}
	ledger := probe.Table{Client: t.Client, Name: t.Ledger, Key: probe.Key(attrGroup, attrEntry)}
	switch destination {
	case tableNamed(t.Name):
		return table.UpdateItem(ctx)
	case tableNamed(t.Ledger):
		return ledger.Query(ctx, attrGroup)
	case t.both():
		return table.UpdateAndPut(ctx, ledger)
	}
	return consumer.ErrNoProbe
}
