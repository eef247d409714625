package search_test

import (
	"fmt"
	"net/http"
	"testing"

	"sluice/consumers/search/internal/document"
	"sluice/consumers/search/internal/searchtest"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/memorytest"
)

// TestMemoryIsFlat indexes batches with new items, a removed item, an item that the index never
// takes, and an item whose index is blocked. It fails if search remembers a key or a text of a batch.
func TestMemoryIsFlat(t *testing.T) {
	g := searchtest.NewTarget(t, servertest.OpenSearch(t), nil)
	blocked := *g.Routes[0]
	blocked.Source, blocked.Index = "Blocked", g.Routes[0].Index+"-blocked"
	g.Restart(&blocked)
	g.Must(http.MethodPut, "/"+blocked.FirstIndex(), `{"settings": {"index.blocks.write": true}, "aliases": {"`+blocked.Index+`": {}, "`+blocked.WriteAlias()+`": {}}}`, nil)
	memorytest.WantFlat(t, g, func(n int) (batch []memorytest.Record) {
		add := func(table, kind string, attributes consumertest.Item, want consumer.Outcome) {
			for i := range 4 {
				c := searchtest.At(0, memorytest.Name(fmt.Sprint(kind, i), n, document.MaxID), attributes)
				c.Table = table
				batch = append(batch, memorytest.Record{Change: c, Want: want})
			}
		}
		add("Source", "new", searchtest.Text("x"), consumer.Applied)
		add("Source", "removed", nil, consumer.Applied)
		add("Source", "bad", consumertest.Item{"n": consumertest.S("no number")}, consumer.Rejected)
		add("Blocked", "unlucky", searchtest.Text("x"), consumer.Retry)
		return batch
	})
}
