package index

import (
	"context"
	"net/http"
	"slices"

	"sluice/consumers/search/internal/document"
	"sluice/shared/consumer"
)

// questionID is a document that no index has, since no item has this id: behind ~ the ids of package document have n, b
// or h.
const questionID = "~next"

// routesToAsk returns the routes of the documents that go to the current index only. Their request must ask whether a
// next index exists.
func routesToAsk(operations []*Operation) []*document.Route {
	var routes []*document.Route
	for _, o := range operations {
		if o.Reach == ToCurrent && !slices.Contains(routes, o.Route) {
			routes = append(routes, o.Route)
		}
	}
	return routes
}

// appendQuestion appends the question whether an alias leads to an index: an update of a document that doesn't exist. It
// changes nothing. Its error says whether the document is missing, or the alias.
func appendQuestion(dst []byte, alias string) []byte {
	dst = append(dst, `{"update":{"_index":"`...)
	dst = append(dst, alias...)
	return append(dst, `","_id":"`+questionID+`"}}`+"\n"+`{"doc":{}}`+"\n"...)
}

// isReindexing reports whether the answer to the question says that the route has a next index. An index that can't
// answer exists.
func isReindexing(r *document.Route, a itemAnswer) bool {
	return a.Status != http.StatusNotFound || a.Index != r.NextAlias()
}

// DualWrite writes documents to their routes' current indexes and, while a reindex is under way, to the next ones.
// OpenSearch resolves all aliases of a request at one moment. So each request either wrote to the current index while
// there was no next one, or it wrote to both.
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

// isReindexed reports whether the route had a next index when an answer last said so. A wrong answer costs one request.
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
