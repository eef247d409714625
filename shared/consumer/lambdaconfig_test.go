package consumer

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"
)

// TestConnectionsStayOpenBetweenBatches has two batches with as many calls at
// once as Each makes: the second one needs no new connection.
func TestConnectionsStayOpenBetweenBatches(t *testing.T) {
	var batch sync.WaitGroup // answers none of a batch's calls before all are there
	var opened atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		batch.Done()
		batch.Wait()
		_, _ = io.WriteString(w, "done")
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	for name, value := range map[string]string{"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret"} {
		t.Setenv(name, value)
	}
	cfg, err := lambdaConfig()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		batch.Add(EachConcurrency)
		var calls errgroup.Group
		for range EachConcurrency {
			calls.Go(func() error {
				r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, nil)
				if err != nil {
					return err
				}
				answer, err := cfg.HTTPClient.Do(r)
				if err != nil {
					return err
				}
				defer answer.Body.Close()
				_, err = io.Copy(io.Discard, answer.Body)
				return err
			})
		}
		if err := calls.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	if got := opened.Load(); got != EachConcurrency {
		t.Errorf("two batches of %d calls opened %d connections", EachConcurrency, got)
	}
}
