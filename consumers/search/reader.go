package search

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/opensearch-project/opensearch-go/v2/opensearchapi"
)

// Reader makes the requests of those who read the indexes. It is safe for concurrent
// use.
type Reader struct{ client *client }

// NewReader returns a Reader of the settings' endpoint. It makes no call. The error
// names every setting that is wrong.
func NewReader(cfg aws.Config, s Settings) (*Reader, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	c, err := newClient(cfg, s)
	if err != nil {
		return nil, err
	}
	return &Reader{c}, nil
}

// Do makes a request and returns its answer's body of at most so many bytes; a longer one
// is [ErrTooLong]. What fails for a while is done
// again, as often as the configuration's Retryer says, so the request must change
// nothing the second time. Another status than 200 is a [*StatusError]; what names
// the request in errors.
func (r *Reader) Do(ctx context.Context, what string, most int64, request func() opensearchapi.Request) ([]byte, error) {
	return r.client.do(context.WithValue(ctx, mostBytesKey{}, most), what, request)
}

// ErrTooLong is returned for an answer that has more bytes than its reader takes.
var ErrTooLong = errors.New("the answer is too long")

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
