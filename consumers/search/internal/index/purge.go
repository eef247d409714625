package index

import (
	"context"
	"io"
	"time"

	"github.com/opensearch-project/opensearch-go/v2/opensearchapi"

	"sluice/consumers/search/internal/document"
)

// maxPurge is how many tombstones of an index one request removes at most.
const maxPurge = 10_000

// Purge removes the route's tombstones of changes before a time, maxPurge of them at most, and returns their number. It
// keeps a tombstone that changes meanwhile.
func (c *Client) Purge(ctx context.Context, r *document.Route, before time.Time) (int, error) {
	query := map[string]any{"bool": map[string]any{"filter": []any{
		document.TombstoneFilter(),
		map[string]any{"range": map[string]any{document.Field + ".time": map[string]any{"lt": before.UTC().Format(time.RFC3339Nano)}}},
	}}}
	most := maxPurge
	var done struct{ Deleted int }
	err := c.DoJSON(ctx, "purge index "+r.WriteAlias(), map[string]any{"query": query}, func(body io.Reader) opensearchapi.Request {
		return opensearchapi.DeleteByQueryRequest{Index: []string{r.WriteAlias()}, Body: body, Conflicts: "proceed", MaxDocs: &most}
	}, &done)
	return done.Deleted, err
}
