package search

import (
	"context"
	"net/http"
	"slices"

	"sluice/shared/consumer"
)

// questionID is the document that is asked for in the index that is being made. No
// item has it: behind ~ an id has n, b or h.
const questionID = "~next"

// questions returns the routes of the documents that go to the current index only. The
// request must ask whether another one is being made in its place.
func questions(operations []*operation) []*Route {
	var routes []*Route
	for _, o := range operations {
		if o.reach == current && !slices.Contains(routes, o.to) {
			routes = append(routes, o.to)
		}
	}
	return routes
}

// appendQuestion appends what asks whether an index is being made in the place of the
// route's: an update of a document that isn't there. It changes nothing; the error
// tells whether the document is missing or the alias.
func (r *Route) appendQuestion(dst []byte) []byte {
	dst = append(dst, `{"update":{"_index":"`...)
	dst = append(dst, r.next()...)
	return append(dst, `","_id":"`+questionID+`"}}`+"\n"+`{"doc":{}}`+"\n"...)
}

// found tells what the answer to that means. An index that can't answer is there.
func (r *Route) found(a itemAnswer) bool {
	return a.Status != http.StatusNotFound || a.Index != r.next()
}

// writeLive writes documents to their routes' indexes, and to those that are being
// made in their place. OpenSearch resolves all aliases of a request at one moment, so
// every request either wrote to the current index alone, and told that there was no
// other one, or to both.
func (c *client) writeLive(ctx context.Context, operations []*operation) {
	for _, o := range operations {
		if o.reach = current; c.reindexed(o.to) {
			o.reach = both
		}
	}
	c.write(ctx, operations)
	var again []*operation
	for _, o := range operations {
		c.remember(o.to, o.next)
		if o.reach == current && o.next {
			again = append(again, o)
		}
	}
	if len(again) == 0 {
		return
	}
	first := make([]error, len(again))
	for i, o := range again {
		first[i], o.reach = o.err, both
	}
	c.write(ctx, again)
	for i, o := range again {
		// What the first request has done, the second finds done.
		if done := consumer.OutcomeOf(first[i]); done == consumer.Applied {
			o.err = consumer.Combine([]error{nil, o.err})
		}
	}
}

// reindexed tells whether an index was being made in the place of a route's, when it
// was last heard of. If that is wrong, it costs a request.
func (c *client) reindexed(r *Route) bool {
	_, known := c.next.Load(r.Index)
	return known
}

func (c *client) remember(r *Route, next bool) {
	if next {
		c.next.Store(r.Index, true)
	} else {
		c.next.Delete(r.Index)
	}
}
