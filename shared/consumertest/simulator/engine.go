package simulator

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"testing"
)

// engine makes the calls to the real server. It makes them outside the bubble, where time is real.
type engine struct {
	*Outside
	client http.Client
}

func newEngine(t testing.TB) *engine {
	e := &engine{NewOutside(t), http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}}
	t.Cleanup(e.client.CloseIdleConnections)
	return e
}

// engineRequest is a request without anything of the bubble in it.
type engineRequest struct {
	operation   string
	method, url string
	header      http.Header
	body        []byte
}

// call makes the request. The answer has no date: the bubble's clock is another.
func (e *engine) call(r engineRequest) (status int, header http.Header, body []byte, err error) {
	err = e.Do(func() error {
		request, err := http.NewRequestWithContext(context.Background(), r.method, r.url, bytes.NewReader(r.body))
		if err != nil {
			return err
		}
		request.Header = r.header
		response, err := e.client.Do(request)
		if err != nil {
			return fmt.Errorf("the destination's own server failed: %w", err)
		}
		defer response.Body.Close()
		status, header = response.StatusCode, response.Header
		header.Del("Date")
		body, err = io.ReadAll(response.Body)
		return err
	})
	return status, header, body, err
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
