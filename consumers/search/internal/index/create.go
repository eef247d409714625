package index

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/opensearch-project/opensearch-go/v2/opensearchapi"

	"sluice/consumers/search/internal/document"
)

// CreateFirst creates the route's first index with its aliases, unless it exists.
func (c *Client) CreateFirst(ctx context.Context, r *document.Route) error {
	body, err := r.Body(r.Aliases())
	if err != nil {
		return err
	}
	encoded, err := json.Marshal(body)
	if err != nil {
		return err
	}
	_, err = c.Do(ctx, "make index "+r.FirstIndex(), func() opensearchapi.Request {
		return opensearchapi.IndicesCreateRequest{Index: r.FirstIndex(), Body: bytes.NewReader(encoded)}
	})
	// Another instance may have made it, or this one before an answer that was lost.
	if AlreadyExists(err) {
		return nil
	}
	return err
}

// AlreadyExists reports whether an index couldn't be created because one has its name.
func AlreadyExists(err error) bool {
	refused, ok := errors.AsType[*StatusError](err)
	return ok && strings.Contains(refused.Body, "resource_already_exists_exception")
}

// IsNotFound reports whether an index or alias that a request names doesn't exist.
func IsNotFound(err error) bool {
	if errors.Is(err, ErrNoIndex) {
		return true
	}
	refused, ok := errors.AsType[*StatusError](err)
	return ok && refused.Status == http.StatusNotFound
}
