package index

import (
	"context"
	"net/http"
	"slices"

	"sluice/consumers/search/internal/document"
	"sluice/shared/consumer"
)

// questionID is the document that is asked for in the index that is being made. No
// item has it: behind ~ an id has n, b or h.
const questionID = "~next"

// questions returns the routes of the documents that go to the current index only. The
// request must ask whether another one is being made in its place.
func questions(operations []*Operation) []*document.Route {
	var routes []*document.Route
	for _, o := range operations {
		if o.Reach == ToCurrent && !slices.Contains(routes, o.Route) {
			routes = append(routes, o.Route)
		}
	}
	return routes
}

// appendQuestion appends what asks whether an index is being made in the place of the
// route's: an update of a document that isn't there. It changes nothing; the error
// tells whether the document is missing or the alias.
func appendQuestion(dst []byte, r *document.Route) []byte {
	dst = append(dst, `{"update":{"_index":"`...)
	dst = append(dst, r.NextAlias()...)
	return append(dst, `","_id":"`+questionID+`"}}`+"\n"+`{"doc":{}}`+"\n"...)
}

// isReindexing reports whether the answer to the question says that an index is being made. One that can't answer is there.
func isReindexing(r *document.Route, a itemAnswer) bool {
	return a.Status != http.StatusNotFound || a.Index != r.NextAlias()
}

// DualWrite writes documents to their routes' indexes, and to those that are being
// made in their place. OpenSearch resolves all aliases of a request at one moment, so
// every request either wrote to the current index alone, and told that there was no
// other one, or to both.
func (c *Client) DualWrite(ctx context.Context, operations []*Operation) {
	for _, o := range operations {
		if o.Reach = ToCurrent; c.isReindexed(o.Route) {
			o.Reach = ToBoth
		}
	}
	c.WriteWithRetry(ctx, operations)
	var again []*Operation
	for _, o := range operations {
		c.rememberReindexed(o.Route, o.next)
		if o.Reach == ToCurrent && o.next {
			again = append(again, o)
		}
	}
	if len(again) == 0 {
		return
	}
	first := make([]error, len(again))
	for i, o := range again {
		first[i], o.Reach = o.Err, ToBoth
	}
	c.WriteWithRetry(ctx, again)
	for i, o := range again {
		// What the first request has done, the second finds done.
		if done := consumer.OutcomeOf(first[i]); done == consumer.Applied {
			o.Err = consumer.Combine([]error{nil, o.Err})
		}
	}
}

// isReindexed tells whether an index was being made in the place of a route's, when it
// was last heard of. If that is wrong, it costs a request.
func (c *Client) isReindexed(r *document.Route) bool {
	_, known := c.reindexing.Load(r.Index)
	return known
}

func (c *Client) rememberReindexed(r *document.Route, next bool) {
	if next {
		c.reindexing.Store(r.Index, true)
	} else {
		c.reindexing.Delete(r.Index)
	}
}
