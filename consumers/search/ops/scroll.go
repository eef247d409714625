package ops

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/opensearch-project/opensearch-go/v2/opensearchapi"
)

const (
	// scrollPage is how many documents a page has.
	scrollPage = 2000
	// keepAlive is how long OpenSearch waits for the request of the next page.
	keepAlive = 2 * time.Minute
)

// hit is a document that a search found.
type hit struct {
	ID      string          `json:"_id"`
	Version int64           `json:"_version"` // if the search asks for it
	Source  json.RawMessage `json:"_source"`
	Ignored []string        `json:"_ignored"` // fields with a value that is too long for their mapping
}

// scroll calls visit with all that a search finds, page by page, as of the first page.
func (a admin) scroll(ctx context.Context, index string, query map[string]any, visit func([]hit) error) error {
	partial, size := false, scrollPage
	what := "read index " + index
	request := func(body io.Reader) opensearchapi.Request {
		return opensearchapi.SearchRequest{Index: []string{index}, Body: body, Size: &size, Scroll: keepAlive, AllowPartialSearchResults: &partial}
	}
	for {
		var page struct {
			ScrollID string `json:"_scroll_id"`
			Hits     struct{ Hits []hit }
			Shards   shards `json:"_shards"`
		}
		if err := a.DoJSON(ctx, what, query, request, &page); err != nil {
			return err
		}
		if err := page.Shards.check(what); err != nil {
			return err
		}
		if err := visit(page.Hits.Hits); err != nil {
			return err
		}
		if len(page.Hits.Hits) < scrollPage {
			// OpenSearch can free the scroll.
			return orGone(a.DoJSON(ctx, "end of reading", nil, func(io.Reader) opensearchapi.Request {
				return opensearchapi.ClearScrollRequest{ScrollID: []string{page.ScrollID}}
			}, nil))
		}
		request = func(io.Reader) opensearchapi.Request {
			return opensearchapi.ScrollRequest{ScrollID: page.ScrollID, Scroll: keepAlive}
		}
	}
}

// shards are the counts of the shards that answered.
type shards struct{ Failed int }

func (s shards) check(what string) error {
	if s.Failed > 0 {
		return fmt.Errorf("%s: %d of the index's shards failed", what, s.Failed)
	}
	return nil
}
