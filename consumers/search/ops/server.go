package ops

import (
	"context"
	"net/url"

	"sluice/consumers/search/query"
	"sluice/shared/operate"
)

var _ operate.Server = registered{}

// Handlers implements operate.Server: GET and POST /search.
func (r registered) Handlers(_ context.Context, s operate.Serving) ([]operate.Handler, error) {
	part, err := s.Find("search")
	if err != nil {
		return nil, err
	}
	searcher, err := NewSearcher(part, r.pipeline)
	if err != nil {
		return nil, err
	}
	handler := query.NewHandler(searcher, s.Log)
	handler.Whole = s.Whole
	example := "/search"
	if indexes := searcher.Indexes(); len(indexes) > 0 {
		example += "?index=" + url.QueryEscape(indexes[0])
	}
	return []operate.Handler{{Pattern: "/search", Handler: handler, Example: example}}, nil
}
