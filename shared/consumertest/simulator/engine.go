package simulator

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
)

// engine does what has to be done outside the bubble, where time is real: the
// calls to the real server. Its channels are made outside and so never count as
// a place where the bubble's goroutines rest.
type engine struct {
	client http.Client
	jobs   chan func()
	done   chan struct{}
}

func newEngine() *engine {
	e := &engine{
		client: http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}},
		jobs:   make(chan func()),
		done:   make(chan struct{}),
	}
	go func() {
		for job := range e.jobs {
			job()
			e.done <- struct{}{}
		}
	}()
	return e
}

func (e *engine) close() {
	close(e.jobs)
	e.client.CloseIdleConnections()
}

// outside runs f outside the bubble. Only one goroutine of the bubble, the
// schedule's own, may call it.
func (e *engine) outside(f func()) {
	e.jobs <- f
	<-e.done
}

// engineRequest is a request without anything of the bubble in it.
type engineRequest struct {
	operation   string
	method, url string
	header      http.Header
	body        []byte
}

// do makes the request. The answer has no date: the bubble's clock is another.
func (e *engine) do(r engineRequest) (status int, header http.Header, body []byte, err error) {
	e.outside(func() {
		var request *http.Request
		if request, err = http.NewRequestWithContext(context.Background(), r.method, r.url, bytes.NewReader(r.body)); err != nil {
			return
		}
		request.Header = r.header
		var response *http.Response
		if response, err = e.client.Do(request); err != nil {
			err = fmt.Errorf("the destination's own server failed: %w", err)
			return
		}
		defer response.Body.Close()
		status, header = response.StatusCode, response.Header
		header.Del("Date")
		body, err = io.ReadAll(response.Body)
	})
	return status, header, body, err
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
