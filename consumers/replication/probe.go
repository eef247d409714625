package replication

import (
	"context"
	"errors"

	"sluice/shared/consumer"
)

var _ consumer.Prober = (*Replication)(nil)

// Probe implements consumer.Prober.
func (r *Replication) Probe(ctx context.Context, destination string) error {
	for _, d := range r.destinations {
		if err := d.table.Probe(ctx, destination); !errors.Is(err, consumer.ErrNoProbe) {
			return err
		}
	}
	for _, m := range r.mirrors {
		if err := m.peers.Probe(ctx, destination); !errors.Is(err, consumer.ErrNoProbe) {
			return err
		}
	}
	return consumer.ErrNoProbe
}
