package index

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/opensearch-project/opensearch-go/v2/opensearchapi"
)

// ErrTooLong is returned for an answer that has more bytes than its reader takes.
var ErrTooLong = errors.New("the answer is too long")

// DoLimited is do for an answer of at most so many bytes; a longer one is [ErrTooLong].
func (c *Client) DoLimited(ctx context.Context, what string, most int64, request func() opensearchapi.Request) ([]byte, error) {
	return c.Do(context.WithValue(ctx, mostBytesKey{}, most), what, request)
}

type mostBytesKey struct{}

// readBody reads an answer's body, of at most as many bytes as the context says.
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
