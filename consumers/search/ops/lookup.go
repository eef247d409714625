package ops

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/opensearch-project/opensearch-go/v2/opensearchapi"

	"sluice/consumers/search/internal/document"
	"sluice/consumers/search/internal/index"
)

// heldDocument is a document that an index has.
type heldDocument struct {
	ID      string `json:"_id"`
	Version int64  `json:"_version"`
	Source  source `json:"_source"`
}

// source has the fields of a document. Their numbers are as they are written.
type source map[string]any

func (s *source) UnmarshalJSON(text []byte) error { return decodeExactly(text, (*map[string]any)(s)) }

func (d *heldDocument) version() int64 {
	if d == nil {
		return 0
	}
	return d.Version
}

// visible reports whether searches should find the document.
func (d *heldDocument) visible() bool {
	if d == nil {
		return false
	}
	own, _ := d.Source[document.Field].(map[string]any)
	return own["deleted"] != true
}

// documents reads documents as they are now, without waiting for a refresh; nil for one that doesn't exist.
func (a admin) documents(ctx context.Context, alias string, ids []string) ([]*heldDocument, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var answer struct {
		Docs []struct {
			heldDocument
			Found bool
			Error *index.Cause
		}
	}
	what := "look documents up in index " + alias
	if err := a.DoJSON(ctx, what, map[string]any{"ids": ids}, func(body io.Reader) opensearchapi.Request {
		return opensearchapi.MgetRequest{Index: alias, Body: body}
	}, &answer); err != nil {
		return nil, err
	}
	if len(answer.Docs) != len(ids) {
		return nil, fmt.Errorf("%s: %d are asked for, %d answered", what, len(ids), len(answer.Docs))
	}
	documents := make([]*heldDocument, len(ids))
	for i, d := range answer.Docs {
		if d.ID != ids[i] || d.Error != nil {
			return nil, fmt.Errorf("%s: %s is answered as %s, %v", what, ids[i], d.ID, d.Error)
		}
		if d.Found {
			documents[i] = &d.heldDocument
		}
	}
	return documents, nil
}

// decodeExactly decodes JSON with numbers as they are written.
func decodeExactly(text []byte, out any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return decoder.Decode(out)
}

// shownPage is how many documents one search looks for.
const shownPage = 1000

// shown returns which documents searches through an alias find, as of its last refresh.
func (a admin) shown(ctx context.Context, alias string, ids []string) (map[string]bool, error) {
	shown := map[string]bool{}
	what := "look for documents through index " + alias
	partial := false
	for chunk := range slices.Chunk(ids, shownPage) {
		query := map[string]any{"query": map[string]any{"ids": map[string]any{"values": chunk}}, "_source": false, "size": len(chunk), "sort": []string{"_doc"}}
		var answer struct {
			Hits   struct{ Hits []hit }
			Shards shards `json:"_shards"`
		}
		if err := a.DoJSON(ctx, what, query, func(body io.Reader) opensearchapi.Request {
			return opensearchapi.SearchRequest{Index: []string{alias}, Body: body, AllowPartialSearchResults: &partial}
		}, &answer); err != nil {
			return nil, err
		}
		if err := answer.Shards.check(what); err != nil {
			return nil, err
		}
		for _, h := range answer.Hits.Hits {
			shown[h.ID] = true
		}
	}
	return shown, nil
}
