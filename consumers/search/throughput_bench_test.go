package search_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"golang.org/x/sync/errgroup"

	"sluice/consumers/search"
	"sluice/consumers/search/internal/document"
	"sluice/consumers/search/internal/searchtest"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/blast"
	"sluice/shared/consumertest/gametest"
)

// BenchmarkThroughput measures how many documents a second this consumer brings into
// OpenSearch, from payload to answer, beside blasts of ready-made bulk requests with the
// very same documents, made before the clock starts: plain ones, which know no versions
// and ask for no reindex, and the consumer's own once more. Each contender has an index
// of its own, defined as that of the pets or plays, as many requests on their way at
// once, and as many documents in each. They take turns, and the ratios are medians of the
// turns' ratios.
func BenchmarkThroughput(b *testing.B) {
	for _, m := range []indexing{
		{corpus: "pets", batch: 500, atOnce: 1},
		{corpus: "pets", batch: 500, atOnce: 1, updates: true},
		{corpus: "pets", batch: 100, atOnce: 1},
		{corpus: "pets", batch: 500, atOnce: 2},
		{corpus: "plays", batch: 500, atOnce: 1},
	} {
		kind := "inserts"
		if m.updates {
			kind = "updates"
		}
		b.Run(fmt.Sprintf("%s/%s/batch=%d/at-once=%d", m.corpus, kind, m.batch, m.atOnce), m.run)
	}
}

// indexing is what is measured.
type indexing struct {
	corpus        string
	batch, atOnce int
	updates       bool // of the same documents in all turns
}

func (m indexing) run(b *testing.B) {
	const rounds, documents = 31, 1000 // of a turn
	cfg := servertest.OpenSearch(b)
	recorded := &blast.Recorder{Base: m.transport(b)}
	cfg.HTTPClient = &http.Client{Transport: recorded}
	ours, plainly, again := m.newContender(b, cfg), m.newContender(b, servertest.OpenSearch(b)), m.newContender(b, servertest.OpenSearch(b))
	handlers := make([]*consumer.Handler, m.atOnce)
	for i := range handlers {
		handlers[i] = consumer.NewHandler("search", ours, nil, consumer.Settings{}, slog.New(slog.DiscardHandler), new(bytes.Buffer))
	}
	client := &http.Client{Transport: m.transport(b)} // of the blasts
	send := func(requests []blast.Request) func() {
		return func() {
			n := 0
			if err := blast.Send(client, requests, m.atOnce, func([]byte) string { n++; return fmt.Sprint(n) }); err != nil {
				b.Fatal(err)
			}
		}
	}
	recorded.Take()
	var rates, plain, own blast.Turns
	for round := -1; round < rounds; round++ {
		payloads := m.payloads(round+1, documents)
		rate := blast.Time(documents, func() {
			if err := invoke(b, handlers, payloads); err != nil {
				b.Fatal(err)
			}
		})
		requests := recorded.Take()
		plainRate := blast.Time(documents, send(plainBulks(requests, ours.route, plainly.route)))
		ownRate := blast.Time(documents, send(redirected(requests, ours.route, again.route)))
		if round >= 0 { // the first turn opens connections and warms up the server
			rates, plain, own = append(rates, rate), append(plain, plainRate), append(own, ownRate)
		}
	}
	want := documents
	if !m.updates {
		want *= rounds + 1
	}
	for _, s := range []contender{ours, plainly, again} {
		if n := m.count(b, cfg, s.route); n != want {
			b.Errorf("index %s has %d documents, want %d", s.route.Index, n, want)
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(rates.PerSecond(), "documents/s")
	b.ReportMetric(rates.Over(plain), "of-plain-bulk")
	b.ReportMetric(rates.Over(own), "of-own-requests")
	b.ReportMetric(rates.Processor(), "cpu-µs/document")
	b.ReportMetric(own.Processor(), "own-requests-cpu-µs/document")
}

func (m indexing) transport(b *testing.B) *http.Transport {
	t := &http.Transport{MaxIdleConnsPerHost: m.atOnce}
	b.Cleanup(t.CloseIdleConnections)
	return t
}

// contender is a consumer with one route, into an index as the corpus has it.
type contender struct {
	*search.Search
	route *document.Route
}

func (m indexing) newContender(b *testing.B, cfg aws.Config) contender {
	b.Helper()
	routes, err := search.Routes(gametest.With(search.RoutesFile, "bench.yaml", fmt.Sprintf(`routes:
  - name: bench
    from: {table: Source}
    into: {index: %s, definition: %s.json}
`, searchtest.Lane(cfg), m.corpus)))
	if err != nil {
		b.Fatal(err)
	}
	client, err := searchtest.NewClient(cfg)
	if err != nil {
		b.Fatal(err)
	}
	if err := client.CreateFirst(b.Context(), routes[0]); err != nil {
		b.Fatal(err)
	}
	return contender{search.NewWith(client, routes, search.DefaultHorizon, time.Now), routes[0]}
}

// payloads are those of a turn: each document is written once.
func (m indexing) payloads(turn, documents int) (payloads [][]byte) {
	for first := 0; first < documents; first += m.batch {
		var records [][]byte
		for i := first; i < first+m.batch; i++ {
			c := consumertest.Change{Table: "Source", Time: time.Now()}
			number := i
			if !m.updates {
				number += turn * documents
			}
			c.Keys, c.New = corpora[m.corpus](number)
			if m.updates {
				c.New["age"] = consumertest.N(fmt.Sprint(turn))
			}
			records = append(records, c.Record())
		}
		payloads = append(payloads, consumertest.Payload(1+turn*documents+first, records...))
	}
	return payloads
}

// invoke gives the payloads to the handlers, each of which has one at a time.
func invoke(b *testing.B, handlers []*consumer.Handler, payloads [][]byte) error {
	var work errgroup.Group
	for first, h := range handlers {
		work.Go(func() error {
			for i := first; i < len(payloads); i += len(handlers) {
				answer, err := h.Invoke(b.Context(), payloads[i])
				if err != nil {
					return err
				}
				if bytes.Contains(answer, []byte("itemIdentifier")) {
					return fmt.Errorf("changes failed: %s", answer)
				}
			}
			return nil
		})
	}
	return work.Wait()
}

// versioned is what a plain request doesn't say of a document.
var versioned = regexp.MustCompile(`,"version":\d+,"version_type":"external"}}$`)

// plainBulks are requests that index the documents of the consumer's own as if there
// were neither repeats nor reindexes.
func plainBulks(requests []blast.Request, from, to *document.Route) []blast.Request {
	var plain []blast.Request
	for _, r := range requests {
		lines := bytes.SplitAfter(r.Body, []byte("\n"))
		var body []byte
		for i := 0; i+1 < len(lines); i += 2 {
			action := strings.TrimSpace(string(lines[i]))
			if strings.HasPrefix(action, `{"update"`) {
				continue
			}
			action = versioned.ReplaceAllString(strings.Replace(action, `"`+from.WriteAlias()+`"`, `"`+to.FirstIndex()+`"`, 1), "}}")
			body = append(append(append(body, action...), '\n'), lines[i+1]...)
		}
		plain = append(plain, withBody(r, body))
		plain[len(plain)-1].URL.RawQuery = ""
	}
	return plain
}

// redirected are the same requests to another route's index.
func redirected(requests []blast.Request, from, to *document.Route) []blast.Request {
	var others []blast.Request
	for _, r := range requests {
		others = append(others, withBody(r, bytes.ReplaceAll(r.Body, []byte(`"`+from.Index+`-`), []byte(`"`+to.Index+`-`))))
	}
	return others
}

func withBody(r blast.Request, body []byte) blast.Request {
	other := r.Clone(r.Context())
	other.ContentLength = int64(len(body))
	return blast.Request{Request: other, Body: body, Status: r.Status}
}

// count tells how many documents there are, after a refresh.
func (m indexing) count(b *testing.B, cfg aws.Config, r *document.Route) int {
	b.Helper()
	var answer struct{ Count int }
	if err := searchtest.Request(b.Context(), cfg, http.MethodPost, "/"+r.FirstIndex()+"/_refresh", "", nil); err != nil {
		b.Fatal(err)
	}
	if err := searchtest.Request(b.Context(), cfg, http.MethodGet, "/"+r.FirstIndex()+"/_count", "", &answer); err != nil {
		b.Fatal(err)
	}
	return answer.Count
}
