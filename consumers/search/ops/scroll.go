package ops

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/opensearch-project/opensearch-go/v2/opensearchapi"

	"sluice/consumers/search/internal/index"
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
	body, err := json.Marshal(query)
	if err != nil {
		return err
	}
	partial, size := false, scrollPage
	what := "read index " + index
	request := func() opensearchapi.Request {
		return opensearchapi.SearchRequest{Index: []string{index}, Body: bytes.NewReader(body), Size: &size, Scroll: keepAlive, AllowPartialSearchResults: &partial}
	}
	for {
		var page struct {
			ScrollID string `json:"_scroll_id"`
			Hits     struct{ Hits []hit }
			Shards   shards `json:"_shards"`
		}
		if err := a.DoJSON(ctx, what, request, &page); err != nil {
			return err
		}
		if err := page.Shards.check(what); err != nil {
			return err
		}
		if err := visit(page.Hits.Hits); err != nil {
			return err
		}
		if len(page.Hits.Hits) < scrollPage {
			return a.endScroll(ctx, page.ScrollID)
		}
		request = func() opensearchapi.Request {
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

// endScroll lets OpenSearch free a scroll.
func (a admin) endScroll(ctx context.Context, id string) error {
	_, err := a.Do(ctx, "end of reading", func() opensearchapi.Request {
		return opensearchapi.ClearScrollRequest{ScrollID: []string{id}}
	})
	if index.IsNotFound(err) {
		return nil
	}
	return err
}
