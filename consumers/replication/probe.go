package replication

import (
	"context"

	"sluice/shared/consumer"
)

var _ consumer.Prober = (*Replication)(nil)

// Probe implements consumer.Prober.
func (r *Replication) Probe(destination string) func(context.Context) error {
	for _, d := range r.destinations {
		if probe := d.copy.Probe(destination); probe != nil {
			return probe
		}
	}
	for _, m := range r.mirrors {
		if probe := m.peers.Probe(destination); probe != nil {
			return probe
		}
	}
	return nil
}
