package oneway

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/consumers/replication/internal/store"
	"sluice/shared/consumer"
	"sluice/shared/consumertest/wire"
)

// A page of puts, of which every third item was removed later: more than one request
// can ask for. Fails if one is taken for its neighbour, or the last page is left out;
// and, where DynamoDB is throttled and leaves keys of a request unprocessed, if that
// is taken for their having no tombstone.
func TestFinish(t *testing.T) {
	const puts = 2*store.MaxLookUps + 30
	for name, client := range map[string]http.RoundTripper{"at once": http.DefaultTransport, "throttled": unprocessing{}} {
		t.Run(name, func(t *testing.T) {
			table := newTable(t)
			table.Client = dynamodb.New(table.Client.Options(), func(o *dynamodb.Options) { o.HTTPClient = &http.Client{Transport: client} })
			var pending []*Pending
			for i := range puts {
				id := fmt.Sprint(i)
				if i%3 == 0 {
					if err := table.Remove(t.Context(), key(id), at(2)); err != nil {
						t.Fatal(err)
					}
				}
				p, err := table.Begin(t.Context(), key(id), store.Item{"Id": s(id), "Text": s("text")}, at(1), false)
				if err != nil || p == nil {
					t.Fatalf("put %d: %v, %v; want one to be finished", i, p, err)
				}
				pending = append(pending, p)
			}
			for i, err := range table.Finish(t.Context(), pending) {
				want, text := consumer.Applied, "text"
				if i%3 == 0 {
					want, text = consumer.Stale, ""
				}
				if got := consumer.OutcomeOf(err); got != want {
					t.Errorf("put %d: %v (%v), want %v", i, got, err, want)
				}
				if got := table.text(t, fmt.Sprint(i)); got != text {
					t.Errorf("item %d holds %q, want %q", i, got, text)
				}
			}
		})
	}
}

// unprocessing leaves the keys of every BatchGetItem unprocessed, as a table that is
// throttled does.
type unprocessing struct{}

func (unprocessing) RoundTrip(r *http.Request) (*http.Response, error) {
	if wire.Operation(r) != "BatchGetItem" {
		return http.DefaultTransport.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var asked struct{ RequestItems json.RawMessage }
	if err := json.Unmarshal(body, &asked); err != nil {
		return nil, err
	}
	var answer bytes.Buffer
	fmt.Fprintf(&answer, `{"Responses":{},"UnprocessedKeys":%s}`, asked.RequestItems)
	return wire.Answer(r, http.StatusOK, http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, answer.Bytes()), nil
}
