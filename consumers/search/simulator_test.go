package search_test

import (
	"testing"

	"sluice/consumers/search/internal/searchtest"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/simulator"
)

func TestMain(m *testing.M) { servertest.Main(m) }

// TestSimulator delivers random histories of items with all types of attributes in
// every way that the stream may; the index must show what its route takes of them.
// The engine forgets its own deletions at once.
func TestSimulator(t *testing.T) {
	s := searchtest.Suite(servertest.OpenSearch)
	s.Schedules = 350
	simulator.Run(t, s)
}

// TestSimulatorFewItems is TestSimulator with three items, which are written and
// removed again and again.
func TestSimulatorFewItems(t *testing.T) {
	s := searchtest.Suite(servertest.OpenSearch)
	s.Workload.Groups, s.Workload.Burst = 1, 0
	s.Schedules = 150
	simulator.Run(t, s)
}

// TestEveryOrder inserts an item, changes it, removes it, and inserts and changes
// it again, in every order and with every repeat.
func TestEveryOrder(t *testing.T) {
	s := searchtest.Suite(servertest.OpenSearch)
	s.Horizon = 0
	texts := []string{"", "a", "b", "", "c"}
	for n := 1; n < len(texts); n++ {
		simulator.EveryOrder(t, s, func(i int) []consumertest.Change { return history(i, texts[:n+1]) })
	}
}

// TestEveryCrash dies at every call of a history that two pollers deliver at once,
// in order and with new changes before old ones.
func TestEveryCrash(t *testing.T) {
	s := searchtest.Suite(servertest.OpenSearch)
	s.Horizon = 0
	changes := history(1, []string{"", "a", "", "b", "c", ""})
	simulator.EveryCrash(t, s, changes[4:], changes[2:4], changes[:2], changes[1:3])
}

// history returns the changes of one item that holds one text after the other;
// "": it isn't there.
func history(item int, texts []string) []consumertest.Change {
	attributes := make([]consumertest.Item, len(texts))
	for i, text := range texts {
		if text != "" {
			attributes[i] = consumertest.Item{"text": consumertest.S(text), "kind": consumertest.S("pub")}
		}
	}
	return consumertest.History(searchtest.Items.Table, searchtest.Items.Key(0, item), attributes...)
}
