package ops

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/consumers/search/internal/searchtest"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/stored"
)

// storedIndexes are the indexes of a route, with the aliases, the journal of a reindex, and all documents.
type storedIndexes struct {
	Route     string // its index
	Indexes   map[string]storedIndex
	Documents map[string][]storedDocument // by index
}

type storedIndex struct {
	Aliases  json.RawMessage                       `json:"aliases"`
	Mappings json.RawMessage                       `json:"mappings"`
	Settings map[string]map[string]json.RawMessage `json:"settings"`
}

type storedDocument struct {
	ID      string          `json:"_id"`
	Version int64           `json:"_version"`
	Source  json.RawMessage `json:"_source"`
}

// Documents, what is remembered of removed items, and a reindex that was cut off, as earlier versions stored them. Fails if an id, a
// version, a document or the journal changes its form without a reader for the old one.
func TestStoredForms(t *testing.T) {
	stored.Each(t, writeStored, func(t *testing.T, folder string) {
		g := newReindexed(t)
		g.Clock = consumertest.Arrival.Add(10 * time.Minute)
		var records [][]byte
		var rows stored.Tables
		var was storedIndexes
		stored.Read(t, folder, "records.json", &records)
		stored.Read(t, folder, "source.json", &rows)
		stored.Read(t, folder, "indexes.json", &was)
		rows.Fill(t, g.rows)
		was = was.named(t, searchtest.Lane(g.Cfg))
		g.fill(was)

		for i, record := range records {
			c, err := change.Parse(record)
			if err != nil {
				t.Fatal(err)
			}
			// Applied: the new index hadn't the tombstone yet.
			err = g.ApplyBatch(t.Context(), []*change.Change{c})[0]
			if o := consumer.OutcomeOf(err); o == consumer.Retry || o == consumer.Rejected {
				t.Errorf("change %d again: %v", i+1, err)
			}
		}
		g.Apply([]consumertest.Change{searchtest.At(1, "b", searchtest.Text("between"))}, consumer.Stale)
		if diff := cmp.Diff(was.texts("-1"), g.stored().texts("-1")); diff != "" {
			t.Errorf("after all was delivered again the index holds something else (-want +got):\n%s", diff)
		}
		g.shows("a:x c:y")

		g.happen(searchtest.At(40, "b", searchtest.Text("z")), searchtest.At(40, "c", searchtest.Text("z")), searchtest.At(40, "d", searchtest.Text("z")))
		g.happen(searchtest.At(41, "a", nil))
		if _, err := g.Reindex(t.Context(), ReindexOptions{Segments: 1}); err != nil { // a definition has changed: it says what to do
			if want := "resume it with the program that began it, or abort it: sluice reindex test --abort"; !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %s", err, want)
			}
			if _, err := g.AbortReindex(t.Context()); err != nil {
				t.Error(err)
			}
			g.reindex(ReindexOptions{Segments: 1})
		}
		g.shows("b:z c:z d:z")
		g.Apply([]consumertest.Change{searchtest.At(2, "a", searchtest.Text("between"))}, consumer.Stale)
		g.Clock = g.Clock.Add(time.Minute)
		g.agrees(3)
	})
}

func writeStored(t *testing.T, folder string) {
	g := newReindexed(t)
	changes := []consumertest.Change{searchtest.At(0, "a", searchtest.Text("x")), searchtest.At(0, "b", searchtest.Text("x")), searchtest.At(0, "c", searchtest.Text("x"))}
	later := []consumertest.Change{searchtest.At(2, "b", nil), searchtest.At(2, "c", searchtest.Text("y"))}
	g.happen(changes...)
	g.happen(later...)
	ctx, cut := context.WithCancel(t.Context())
	defer cut()
	if done, err := g.Reindex(ctx, in(Burying, cut)); !errors.Is(err, context.Canceled) {
		t.Fatalf("%+v, %v, want it cut off", done, err)
	}
	var records [][]byte
	for _, c := range append(changes, later...) {
		records = append(records, c.Record())
	}
	stored.Write(t, folder, "records.json", records)
	stored.Write(t, folder, "source.json", stored.Scan(t, g.rows, "Source"))
	stored.Write(t, folder, "indexes.json", g.stored())
}

// stored reads all indexes of the route.
func (g *reindexed) stored() storedIndexes {
	g.T.Helper()
	all := storedIndexes{Route: searchtest.Lane(g.Cfg), Documents: map[string][]storedDocument{}}
	g.Must(http.MethodGet, "/"+all.Route+"-*", "", &all.Indexes)
	g.Must(http.MethodPost, "/"+all.Route+"-*/_refresh", "", nil)
	for index := range all.Indexes {
		var answer struct {
			Hits struct{ Hits []storedDocument }
		}
		g.Must(http.MethodPost, "/"+index+"/_search?size=100", `{"version": true, "sort": ["_id"]}`, &answer)
		all.Documents[index] = answer.Hits.Hits
		slices.SortFunc(all.Documents[index], func(a, b storedDocument) int { return strings.Compare(a.ID, b.ID) })
		settings := all.Indexes[index].Settings["index"]
		maps.DeleteFunc(settings, func(name string, _ json.RawMessage) bool {
			return !slices.Contains([]string{"number_of_shards", "number_of_replicas", "refresh_interval", "gc_deletes"}, name)
		})
	}
	return all
}

// named returns the same indexes of another name.
func (s storedIndexes) named(t *testing.T, route string) (named storedIndexes) {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(strings.ReplaceAll(string(text), s.Route, route)), &named); err != nil {
		t.Fatal(err)
	}
	return named
}

// texts returns the documents of one index, each with its version.
func (s storedIndexes) texts(number string) (texts []string) {
	for index, documents := range s.Documents {
		if !strings.HasSuffix(index, number) {
			continue
		}
		for _, d := range documents {
			var source any
			if err := json.Unmarshal(d.Source, &source); err != nil {
				panic(err) // OpenSearch wrote it
			}
			texts = append(texts, fmt.Sprint(index, " ", d.ID, " ", d.Version, " ", source))
		}
	}
	slices.Sort(texts)
	return texts
}

// fill makes the indexes with their documents.
func (g *reindexed) fill(all storedIndexes) {
	g.T.Helper()
	for index, i := range all.Indexes {
		text, err := json.Marshal(i)
		if err != nil {
			g.T.Fatal(err)
		}
		g.Must(http.MethodPut, "/"+index, string(text), nil)
		var lines strings.Builder
		for _, d := range all.Documents[index] {
			compact, err := json.Marshal(d.Source)
			if err != nil {
				g.T.Fatal(err)
			}
			fmt.Fprintf(&lines, `{"index": {"_id": %q, "version": %d, "version_type": "external"}}`+"\n%s\n", d.ID, d.Version, compact)
		}
		if lines.Len() == 0 {
			continue
		}
		var answer struct{ Errors bool }
		if g.Must(http.MethodPost, "/"+index+"/_bulk?refresh=true", lines.String(), &answer); answer.Errors {
			g.T.Fatalf("index %s doesn't take its documents", index)
		}
	}
}
