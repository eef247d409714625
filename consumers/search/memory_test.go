package search

import (
	"fmt"
	"net/http"
	"testing"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/memorytest"
)

// TestMemoryIsFlat indexes batches with new items, a removed item, an item that the index never
// takes, and an item whose index is blocked. It fails if search remembers a key or a text of a batch.
func TestMemoryIsFlat(t *testing.T) {
	g := newTarget(t, servertest.OpenSearch(t), nil)
	blocked := *g.routes[0]
	blocked.Source, blocked.Index = "Blocked", g.routes[0].Index+"-blocked"
	g.routes = append(g.routes, &blocked)
	g.must(http.MethodPut, "/"+blocked.first(), `{"settings": {"index.blocks.write": true}, "aliases": {"`+blocked.Index+`": {}, "`+blocked.all()+`": {}}}`, nil)
	memorytest.WantFlat(t, g, func(n int) (batch []memorytest.Record) {
		add := func(table, kind string, attributes consumertest.Item, want consumer.Outcome) {
			for i := range 4 {
				c := at(0, memorytest.Name(fmt.Sprint(kind, i), n, maxID), attributes)
				c.Table = table
				batch = append(batch, memorytest.Record{Change: c, Want: want})
			}
		}
		add("Source", "new", text("x"), consumer.Applied)
		add("Source", "removed", nil, consumer.Applied)
		add("Source", "bad", consumertest.Item{"n": consumertest.S("no number")}, consumer.Rejected)
		add("Blocked", "unlucky", text("x"), consumer.Retry)
		return batch
	})
}
