package search

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/opensearch-project/opensearch-go/v2/opensearchapi"
)

// make makes the route's first index with its aliases, unless it is there.
func (c *client) make(ctx context.Context, r *Route) error {
	body, err := r.body(r.aliases())
	if err != nil {
		return err
	}
	encoded, err := json.Marshal(body)
	if err != nil {
		return err
	}
	_, err = c.do(ctx, "make index "+r.first(), func() opensearchapi.Request {
		return opensearchapi.IndicesCreateRequest{Index: r.first(), Body: bytes.NewReader(encoded)}
	})
	// Another instance may have made it, or this one before an answer that was lost.
	if isThere(err) {
		return nil
	}
	return err
}

// isThere tells whether an index couldn't be made because there is one of its name.
func isThere(err error) bool {
	refused, ok := errors.AsType[*StatusError](err)
	return ok && strings.Contains(refused.Body, "resource_already_exists_exception")
}

// aliases are those of the index that people search.
func (r *Route) aliases() map[string]any {
	return map[string]any{
		r.Index: map[string]any{"filter": shown()},
		r.all(): map[string]any{},
	}
}

// shown is the filter of the alias that people search.
func shown() any { return map[string]any{"bool": map[string]any{"must_not": tombstones()}} }

// body is the definition with Sluice's own field and aliases.
func (r *Route) body(aliases map[string]any) (map[string]any, error) {
	var index map[string]any
	if err := json.Unmarshal(r.definition, &index); err != nil {
		return nil, fmt.Errorf("definition of index %s: %w", r.Index, err)
	}
	mappings := object(index, "mappings")
	object(mappings, "properties")[Field] = map[string]any{
		"dynamic": "strict",
		"properties": map[string]any{
			"time":    map[string]any{"type": "date_nanos"},
			"indexed": map[string]any{"type": "date_nanos"},
			"deleted": map[string]any{"type": "boolean"},
		},
	}
	object(mappings, "properties")[ItemField] = map[string]any{"type": "object", "enabled": false}
	index["aliases"] = aliases
	return index, nil
}

// object returns an object's member that is an object, which it makes if need be.
func object(of map[string]any, name string) map[string]any {
	member, ok := of[name].(map[string]any)
	if !ok {
		member = map[string]any{}
		of[name] = member
	}
	return member
}

func tombstones() map[string]any {
	return map[string]any{"term": map[string]any{Field + ".deleted": true}}
}

// maxPurge is how many tombstones of an index go at one go.
const maxPurge = 10_000

// purge removes a route's tombstones of changes before a time, maxPurge of them at
// most, and returns how many. One that changes meanwhile stays.
func (c *client) purge(ctx context.Context, r *Route, before time.Time) (int, error) {
	body, err := json.Marshal(map[string]any{"query": map[string]any{"bool": map[string]any{"filter": []any{
		tombstones(),
		map[string]any{"range": map[string]any{Field + ".time": map[string]any{"lt": before.UTC().Format(time.RFC3339Nano)}}},
	}}}})
	if err != nil {
		return 0, err
	}
	most := maxPurge
	answer, err := c.do(ctx, "purge index "+r.all(), func() opensearchapi.Request {
		return opensearchapi.DeleteByQueryRequest{Index: []string{r.all()}, Body: bytes.NewReader(body), Conflicts: "proceed", MaxDocs: &most}
	})
	if err != nil {
		return 0, err
	}
	var done struct{ Deleted int }
	if err := json.Unmarshal(answer, &done); err != nil {
		return 0, fmt.Errorf("read the answer to the purge of %s: %w", r.all(), err)
	}
	return done.Deleted, nil
}
