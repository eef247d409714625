package replica

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/shared/consumer"
	"sluice/shared/consumertest/wire"
)

// A page of puts, of which every third item was removed later: more than one request
// can ask for. Fails if one is taken for its neighbour, or the last page is left out;
// and, where DynamoDB is throttled and leaves keys of a request unprocessed, if that
// is taken for their having no tombstone.
func TestSettle(t *testing.T) {
	const puts = 2*maxLookUps + 30
	for name, client := range map[string]http.RoundTripper{"at once": http.DefaultTransport, "throttled": unprocessing{}} {
		t.Run(name, func(t *testing.T) {
			table := newTable(t)
			table.Client = dynamodb.New(table.Client.Options(), func(o *dynamodb.Options) { o.HTTPClient = &http.Client{Transport: client} })
			var unsettled []*Unsettled
			for i := range puts {
				id := fmt.Sprint(i)
				if i%3 == 0 {
					if err := table.Remove(t.Context(), key(id), at(2)); err != nil {
						t.Fatal(err)
					}
				}
				u, err := table.Begin(t.Context(), key(id), Item{"Id": s(id), "Text": s("text")}, at(1), false)
				if err != nil || u == nil {
					t.Fatalf("put %d: %v, %v; want one to be settled", i, u, err)
				}
				unsettled = append(unsettled, u)
			}
			for i, err := range table.Settle(t.Context(), unsettled) {
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
