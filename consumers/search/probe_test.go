package search_test

import (
	"net/http"
	"testing"

	"sluice/consumers/search/internal/document"
	"sluice/consumers/search/internal/searchtest"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
)

// Fails for a probe that changes something, or that says of an index which takes no writes, or isn't
// there, that it works.
func TestProbe(t *testing.T) {
	g := searchtest.NewTarget(t, servertest.OpenSearch(t), nil)
	index := searchtest.Lane(g.Cfg)
	g.Apply([]consumertest.Change{searchtest.At(0, "a", searchtest.Text("x"))}, consumer.Applied)
	if err := g.Probe("index " + index)(t.Context()); err != nil {
		t.Errorf("the index works, but: %v", err)
	}
	if all := g.Found(index + document.AllSuffix); all != "a" {
		t.Errorf("after the probe there is %q", all)
	}
	if g.Probe("elsewhere") != nil {
		t.Error("another destination has a probe")
	}
	block := func(on string) {
		g.Must(http.MethodPut, "/"+index+document.AllSuffix+"/_settings", `{"index.blocks.write":`+on+`}`, nil)
	}
	block("true")
	err := g.Probe("index " + index)(t.Context())
	block("false")
	if err == nil {
		t.Error("an index that takes no writes works")
	}
	g.Must(http.MethodDelete, "/"+index+"-1", "", nil)
	if err := g.Probe("index " + index)(t.Context()); err == nil {
		t.Error("an index that isn't there works")
	}
}
