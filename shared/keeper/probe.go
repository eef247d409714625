package keeper

import (
	"context"

	"sluice/shared/consumer"
)

var _ consumer.Prober = (*Keeper)(nil)

// Probe implements consumer.Prober: it has a view's table, or the ledger, asked whether
// it takes what Update writes.
func (k *Keeper) Probe(destination string) func(context.Context) error {
	for _, v := range k.views {
		if probe := k.tables[v.Table].Probe(destination, v.ProbeKey()); probe != nil {
			return probe
		}
	}
	return nil
}
