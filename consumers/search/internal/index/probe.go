package index

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/opensearch-project/opensearch-go/v2/opensearchapi"
)

// Probe asks an alias to update a document that doesn't exist. OpenSearch makes all checks of a write, and changes
// nothing. Probe returns nil if the index behind the alias takes documents.
func (c *Client) Probe(ctx context.Context, alias string) error {
	requireAlias := true
	answer, err := c.doOnce(ctx, "probe "+alias, opensearchapi.BulkRequest{Body: bytes.NewReader(appendQuestion(nil, alias)), RequireAlias: &requireAlias, Timeout: c.Await})
	if err != nil {
		return err
	}
	var all struct{ Items []struct{ Update itemAnswer } }
	if err := json.Unmarshal(answer, &all); err != nil || len(all.Items) != 1 {
		return fmt.Errorf("the answer to the probe of %s has %d items, want one: %w", alias, len(all.Items), err)
	}
	a := all.Items[0].Update
	if a.Status == http.StatusNotFound && a.Index != alias { // the index exists, but not the document
		return nil
	}
	return a.refused(questionID)
}
