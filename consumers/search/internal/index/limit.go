package index

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/opensearch-project/opensearch-go/v2/opensearchapi"
)

// ErrTooLong is returned for an answer with more bytes than its reader accepts.
var ErrTooLong = errors.New("the answer is too long")

// DoLimited is Do for an answer of at most so many bytes. A longer one is [ErrTooLong], and is not repeated.
func (c *Client) DoLimited(ctx context.Context, what string, most int64, request func() opensearchapi.Request) ([]byte, error) {
	return c.Do(context.WithValue(ctx, mostBytesKey{}, most), what, request)
}

type mostBytesKey struct{}

// readBody reads the body of an answer, up to the context's limit.
func readBody(ctx context.Context, body io.Reader) ([]byte, error) {
	most, bounded := ctx.Value(mostBytesKey{}).(int64)
	if !bounded {
		return io.ReadAll(body)
	}
	text, err := io.ReadAll(io.LimitReader(body, most+1))
	if err == nil && int64(len(text)) > most {
		err = fmt.Errorf("%w: over %d bytes", ErrTooLong, most)
	}
	return text, err
}
