package index

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/opensearch-project/opensearch-go/v2/opensearchapi"

	"sluice/consumers/search/internal/document"
)

// maxPurge is how many tombstones of an index one request removes at most.
const maxPurge = 10_000

// Purge removes the route's tombstones of changes before a time, maxPurge of them at most, and returns their number. It
// keeps a tombstone that changes meanwhile.
func (c *Client) Purge(ctx context.Context, r *document.Route, before time.Time) (int, error) {
	body, err := json.Marshal(map[string]any{"query": map[string]any{"bool": map[string]any{"filter": []any{
		document.TombstoneFilter(),
		map[string]any{"range": map[string]any{document.Field + ".time": map[string]any{"lt": before.UTC().Format(time.RFC3339Nano)}}},
	}}}})
	if err != nil {
		return 0, err
	}
	most := maxPurge
	answer, err := c.Do(ctx, "purge index "+r.WriteAlias(), func() opensearchapi.Request {
		return opensearchapi.DeleteByQueryRequest{Index: []string{r.WriteAlias()}, Body: bytes.NewReader(body), Conflicts: "proceed", MaxDocs: &most}
	})
	if err != nil {
		return 0, err
	}
	var done struct{ Deleted int }
	if err := json.Unmarshal(answer, &done); err != nil {
		return 0, fmt.Errorf("read the answer to the purge of %s: %w", r.WriteAlias(), err)
	}
	return done.Deleted, nil
}
