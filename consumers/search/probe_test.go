package search

import (
	"net/http"
	"testing"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
)

// Fails for a probe that changes something, or that says of an index which takes no writes, or isn't
// there, that it works.
func TestProbe(t *testing.T) {
	g := newTarget(t, servertest.OpenSearch(t), nil)
	index := lane(g.cfg)
	g.apply([]consumertest.Change{at(0, "a", text("x"))}, consumer.Applied)
	if err := g.Probe("index " + index)(t.Context()); err != nil {
		t.Errorf("the index works, but: %v", err)
	}
	if all := g.found(index + AllSuffix); all != "a" {
		t.Errorf("after the probe there is %q", all)
	}
	if g.Probe("elsewhere") != nil {
		t.Error("another destination has a probe")
	}
	block := func(on string) {
		g.must(http.MethodPut, "/"+index+AllSuffix+"/_settings", `{"index.blocks.write":`+on+`}`, nil)
	}
	block("true")
	err := g.Probe("index " + index)(t.Context())
	block("false")
	if err == nil {
		t.Error("an index that takes no writes works")
	}
	g.must(http.MethodDelete, "/"+index+"-1", "", nil)
	if err := g.Probe("index " + index)(t.Context()); err == nil {
		t.Error("an index that isn't there works")
	}
}
