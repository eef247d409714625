package search

import (
	"context"

	"sluice/consumers/search/internal/document"
	"sluice/shared/consumer"
)

var _ consumer.Prober = (*Search)(nil)

// destination names a route's index, which may be blocked while others take documents.
func destination(r *document.Route) string { return "index " + r.Index }

// Probe implements consumer.Prober: a bulk request that updates a document that doesn't exist. OpenSearch makes all
// checks of a write, and changes nothing.
func (s *Search) Probe(name string) func(context.Context) error {
	for _, r := range s.routes {
		if destination(r) == name {
			return func(ctx context.Context) error { return s.client.Probe(ctx, r.WriteAlias()) }
		}
	}
	return nil
}
