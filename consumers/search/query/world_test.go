package query

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"sluice/consumers/search"
	"sluice/consumers/search/internal/index"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/gametest"
)

func TestMain(m *testing.M) { servertest.Main(m) }

// world has the shipped indexes, empty at first, and what keeps and searches them.
type world struct {
	*Searcher
	t        *testing.T
	settings search.Settings
	cfg      aws.Config
	tables   aws.Config // leads to DynamoDB, once table was called
	consumer *search.Search
	clock    time.Time // of the next change
}

// newWorld removes what the last test has left.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, cfg: servertest.OpenSearch(t), settings: search.DefaultSettings(), clock: time.Now().Add(-time.Hour).Truncate(time.Microsecond)}
	w.settings.Endpoint, w.settings.Auth = *w.cfg.BaseEndpoint, index.None
	w.request(http.MethodDelete, "/pets-*,players-*,plays-*,secret*", "")
	var err error
	if w.consumer, err = search.New(w.cfg, gametest.Declarations(), w.settings); err != nil {
		t.Fatal(err)
	}
	routes, err := search.Routes(gametest.Declarations())
	if err != nil {
		t.Fatal(err)
	}
	if w.Searcher, err = New(aws.Config{}, w.settings, routes); err != nil {
		t.Fatal(err)
	}
	w.Timeout = time.Minute // what is slow on a busy machine is no fault
	return w
}

func (w *world) request(method, path, body string) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.settings.Endpoint+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	if text, err := io.ReadAll(response.Body); err != nil || response.StatusCode/100 != 2 {
		w.t.Fatalf("%s %s: %s %s %v", method, path, response.Status, text, err)
	}
}

// deliver brings changes into the indexes, a second apart, and lets searches find them.
func (w *world) deliver(changes ...consumertest.Change) {
	w.t.Helper()
	batch := make([]*change.Change, len(changes))
	for i, c := range changes {
		c.Time = w.clock
		w.clock = w.clock.Add(time.Second)
		var err error
		if batch[i], err = change.Parse(c.Record()); err != nil {
			w.t.Fatal(err)
		}
	}
	for i, err := range w.consumer.ApplyBatch(w.t.Context(), batch) {
		if outcome := consumer.OutcomeOf(err); outcome != consumer.Applied && outcome != consumer.Stale {
			w.t.Fatalf("change %d: %v", i, err)
		}
	}
	w.request(http.MethodPost, "/*-all/_refresh", "")
}

// pet is a pet's insertion.
func pet(name string, attributes consumertest.Item) consumertest.Change {
	keys := consumertest.Item{"PK": consumertest.S("USER#ann"), "SK": consumertest.S(name)}
	item := consumertest.Item{"entityType": consumertest.S("PET"), "name": consumertest.S(name)}
	for key, v := range attributes {
		item[key] = v
	}
	return consumertest.Change{Table: gametest.PetTable, Keys: keys, New: item}
}

// removal is the removal of what a change inserted.
func removal(c consumertest.Change) consumertest.Change {
	c.Old, c.New = c.New, nil
	return c
}

// play is a play's insertion.
func play(player string, n int, score string) consumertest.Change {
	at := time.Date(2026, 1, 1, 0, 0, n, 1000, time.UTC).Format("2006-01-02 15:04:05.000000")
	return consumertest.Change{
		Table: gametest.ScoreTable,
		Keys:  consumertest.Item{"UserId": consumertest.S(player), "Timestamp": consumertest.S(at)},
		New:   consumertest.Item{"Score": consumertest.N(score)},
	}
}

// find returns what a request finds, or stops.
func (w *world) find(r Request) *Answer {
	w.t.Helper()
	answer, err := w.Search(w.t.Context(), r)
	if err != nil {
		w.t.Fatalf("%+v: %v", r, err)
	}
	return answer
}

// names returns the hits' ids behind their last #, sorted.
func names(a *Answer) string {
	var found []string
	for _, h := range a.Hits {
		found = append(found, h.ID[strings.LastIndexByte(h.ID, '#')+1:])
	}
	slices.Sort(found)
	return strings.Join(found, " ")
}

// pets are some that searches look for; gone was removed.
func (w *world) pets() {
	w.t.Helper()
	gone := pet("gone", consumertest.Item{"species": consumertest.S("dog"), "notes": consumertest.S("secret")})
	w.deliver(
		pet("rex", consumertest.Item{
			"name": consumertest.S("Rex the Great"), "species": consumertest.S("dog"), "weight": consumertest.N("12.5"), "age": consumertest.N("3"),
			"notes": consumertest.S("afraid of thunder, and of <b>cats</b>"), "tags": consumertest.Value{"SS": []string{"brown", "big"}},
		}),
		pet("bello", consumertest.Item{
			"name": consumertest.S("Bello"), "species": consumertest.S("dog"), "weight": consumertest.N("9.99"),
			"breed": consumertest.S("Golden Retriever"), "tags": consumertest.Value{"SS": []string{"brown"}},
		}),
		pet("fluffy", consumertest.Item{
			"name": consumertest.S("Fluffy"), "species": consumertest.S("cat"), "weight": consumertest.N("4"), "age": consumertest.N("3"),
			"notes": consumertest.S(`likes "fish": dogs OR cats`),
		}),
		gone, removal(gone),
	)
}

// secret is an index that no route fills.
func (w *world) secret() {
	w.t.Helper()
	w.request(http.MethodPut, "/secret", "{}")
	w.request(http.MethodPut, "/secret/_doc/hidden?refresh=true", `{"_sluice":{"time":"2026-01-01T00:00:00Z"},"name":"rex secret","species":"dog"}`)
}
