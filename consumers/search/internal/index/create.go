package index

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/opensearch-project/opensearch-go/v2/opensearchapi"

	"sluice/consumers/search/internal/document"
)

// Create creates an index. body is its settings, mappings and aliases.
func (c *Client) Create(ctx context.Context, name string, body map[string]any) error {
	return c.DoJSON(ctx, "make index "+name, body, func(body io.Reader) opensearchapi.Request {
		return opensearchapi.IndicesCreateRequest{Index: name, Body: body}
	}, nil)
}

// CreateFirst creates the route's first index with its aliases, unless it exists.
func (c *Client) CreateFirst(ctx context.Context, r *document.Route) error {
	body, err := r.Body(r.Aliases())
	if err != nil {
		return err
	}
	// Another instance may have made it, or this one before an answer that was lost.
	if err := c.Create(ctx, r.FirstIndex(), body); !AlreadyExists(err) {
		return err
	}
	return nil
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
