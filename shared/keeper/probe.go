package keeper

import (
	"context"
	"errors"

	"sluice/shared/consumer"
)

var _ consumer.Prober = (*Keeper)(nil)

// Probe implements consumer.Prober: it asks a view's table, or the ledger, whether it
// takes what Update writes.
func (k *Keeper) Probe(ctx context.Context, destination string) error {
	for _, v := range k.views {
		if err := k.tables[v.Table].Probe(ctx, destination, v.ProbeKey()); !errors.Is(err, consumer.ErrNoProbe) {
			return err
		}
	}
	return consumer.ErrNoProbe
}
