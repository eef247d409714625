// Package sdkhttp makes the HTTP client that AWS's SDK is given here, so that it loses no answers.
//
// The SDK closes the body of a request once the answer's head is there. What it hands to net/http then says that it can't
// be copied to its end, though it was (its WriteTo returns io.EOF: smithy-go's transport/http/internal/io, seen in v1.28.8
// and v1.28.9). If net/http gets to know that too late, after the answer's head, it takes the connection for broken and closes
// it while the answer is being read. A server on the same machine is quick enough for that, about once in a thousand calls:
// the call was carried out, is taken for failed, and is made again.
//
// The client of this package sends a copy, from memory. A request of usual size goes out in one packet with its head, and
// net/http can repeat by itself what it had sent on a connection that the server was just closing.
//
// # Invariants
//
//   - Every client of AWS's SDK gets this HTTP client. With the SDK's own, one answer in a thousand of a near server is lost
//     (TestAnswerIsNotLost). Nothing goes wrong by it, but calls are made twice and messages stay hidden
//     (TestEveryConfigHasThisClient).
package sdkhttp

import (
	"bytes"
	"context"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// maxCopied is how long a body is copied at most; of a longer one only its way to say that it was closed is hidden.
const maxCopied = 1 << 20

// New returns a client with the SDK's own settings. It is safe for concurrent use. Clients of several services may share it,
// and with it its idle connections.
func New() aws.HTTPClient { return Over(awshttp.NewBuildableClient()) }

// Over returns a client that sends copies by another one, which must be safe for concurrent use if it is to be.
func Over(client aws.HTTPClient) aws.HTTPClient { return copying{client} }

// Around makes a call in the client's place, by calling call.
type Around func(r *http.Request, call func(*http.Request) (*http.Response, error)) (*http.Response, error)

type aroundKey struct{}

// WithAround returns a context whose calls around makes.
func WithAround(ctx context.Context, around Around) context.Context {
	return context.WithValue(ctx, aroundKey{}, around)
}

func (c copying) call(r *http.Request) (*http.Response, error) {
	if around, ok := r.Context().Value(aroundKey{}).(Around); ok {
		return around(r, c.client.Do)
	}
	return c.client.Do(r)
}

type copying struct{ client aws.HTTPClient }

// Do implements aws.HTTPClient.
func (c copying) Do(r *http.Request) (*http.Response, error) {
	// What can be read again was made by others than the SDK, from memory.
	if r.Body == nil || r.Body == http.NoBody || r.GetBody != nil {
		return c.call(r)
	}
	sent := *r
	if r.ContentLength <= 0 || r.ContentLength > maxCopied {
		sent.Body = onlyReader{r.Body}
		return c.call(&sent)
	}
	body := make([]byte, r.ContentLength)
	_, err := io.ReadFull(r.Body, body)
	if closeErr := r.Body.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, err
	}
	sent.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	sent.Body, _ = sent.GetBody()
	return c.call(&sent)
}

// onlyReader has no WriteTo.
type onlyReader struct{ io.ReadCloser }
