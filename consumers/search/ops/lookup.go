package ops

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/opensearch-project/opensearch-go/v2/opensearchapi"

	"sluice/consumers/search/internal/document"
	"sluice/consumers/search/internal/index"
)

// heldDocument is a document that an index has.
type heldDocument struct {
	ID      string
	Version int64
	Source  map[string]any
}

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
	body, err := json.Marshal(map[string]any{"ids": ids})
	if err != nil {
		return nil, err
	}
	var answer struct {
		Docs []struct {
			ID      string         `json:"_id"`
			Version int64          `json:"_version"`
			Source  map[string]any `json:"_source"`
			Found   bool
			Error   *index.Cause
		}
	}
	what := "look documents up in index " + alias
	text, err := a.Do(ctx, what, func() opensearchapi.Request {
		return opensearchapi.MgetRequest{Index: alias, Body: bytes.NewReader(body)}
	})
	if err != nil {
		return nil, err
	}
	if err := decodeExactly(text, &answer); err != nil {
		return nil, fmt.Errorf("read the answer to %s: %w", what, err)
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
			documents[i] = &heldDocument{d.ID, d.Version, d.Source}
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
		body, err := json.Marshal(map[string]any{"query": map[string]any{"ids": map[string]any{"values": chunk}}, "_source": false, "size": len(chunk), "sort": []string{"_doc"}})
		if err != nil {
			return nil, err
		}
		var answer struct {
			Hits   struct{ Hits []hit }
			Shards shards `json:"_shards"`
		}
		if err := a.DoJSON(ctx, what, func() opensearchapi.Request {
			return opensearchapi.SearchRequest{Index: []string{alias}, Body: bytes.NewReader(body), AllowPartialSearchResults: &partial}
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
