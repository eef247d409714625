package search_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"sluice/consumers/search"
	"sluice/consumers/search/internal/document"
	"sluice/consumers/search/internal/index"
	"sluice/consumers/search/internal/searchtest"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
)

// An index that isn't there is made, with both aliases; what is removed is hidden
// from those who search, and remembered until no older change can come.
func TestLife(t *testing.T) {
	g := searchtest.NewTarget(t, servertest.OpenSearch(t), nil)
	index := searchtest.Lane(g.Cfg)
	g.Apply([]consumertest.Change{searchtest.At(0, "a", searchtest.Text("x")), searchtest.At(0, "b", searchtest.Text("y"))}, consumer.Applied, consumer.Applied)
	g.Apply([]consumertest.Change{searchtest.At(2, "b", nil), searchtest.At(0, "a", searchtest.Text("x")), searchtest.At(-1, "a", searchtest.Text("w"))}, consumer.Applied, consumer.Duplicate, consumer.Stale)
	if shown, all := g.Found(index), g.Found(index+document.AllSuffix); shown != "a" || all != "a b" {
		t.Errorf("people find %q of %q", shown, all)
	}
	// The engine forgets deletions at once here; another instance doesn't.
	other := searchtest.NewTarget(t, g.Cfg, nil)
	other.Apply([]consumertest.Change{searchtest.At(1, "b", searchtest.Text("z")), searchtest.At(3, "c", nil)}, consumer.Stale, consumer.Applied)
	if shown := g.Found(index); shown != "a" {
		t.Errorf("people find %q: what was removed came back", shown)
	}

	g.Clock = g.Clock.Add(search.DefaultHorizon + search.PurgeMargin + 2500*time.Millisecond)
	g.Apply([]consumertest.Change{searchtest.At(1, "b", searchtest.Text("z"))}, consumer.Rejected)
	if shown, all := g.Found(index), g.Found(index+document.AllSuffix); shown != "a" || all != "a c" {
		t.Errorf("after the horizon people find %q of %q, want a of a c", shown, all)
	}
	if counts := g.Metrics(); counts["Purged"] != 1 || counts["FailedPurges"] != 0 {
		t.Errorf("counted %v", counts)
	}
}

// What the index can't take becomes a dead letter that says why; an older change of
// that item and other items go on.
func TestRefusedDocuments(t *testing.T) {
	g := searchtest.NewTarget(t, servertest.OpenSearch(t), nil)
	n := func(text string) consumertest.Item { return consumertest.Item{"n": consumertest.N(text)} }
	errs := g.Apply([]consumertest.Change{searchtest.At(0, "a", n("1")), searchtest.At(1, "a", n("99999999999999999999")), searchtest.At(1, "b", n("2")), searchtest.At(1, "c", consumertest.Item{document.Field: consumertest.S("x")}), searchtest.At(2, "d", consumertest.Item{"n": consumertest.S("no number")})},
		consumer.Applied, consumer.Rejected, consumer.Applied, consumer.Applied, consumer.Rejected)
	for i, want := range []string{"", "failed to parse field [n] of type [long]", "", "", "failed to parse field [n] of type [long]"} {
		if want != "" && (errs[i] == nil || !strings.Contains(errs[i].Error(), want) || !strings.Contains(errs[i].Error(), "index "+searchtest.Lane(g.Cfg))) {
			t.Errorf("change %d: %v; want %q and the index", i+1, errs[i], want)
		}
	}
	if shown := g.Found(searchtest.Lane(g.Cfg)); shown != "a b c" {
		t.Errorf("people find %q", shown)
	}
}

// What a mapping has no room for is a dead letter that names the field or the limit; the
// documents beside it go on, whatever their ids are.
func TestDocumentsThatDoNotFit(t *testing.T) {
	g := searchtest.NewTarget(t, servertest.OpenSearch(t), nil)
	searchtest.Define(g.Routes[0], `{"settings": {"number_of_replicas": 0}, "mappings": {"properties": {"word": {"type": "keyword"}, "day": {"type": "date"}}}}`)
	fields := consumertest.Item{}
	for i := range 1001 {
		fields[fmt.Sprint("f", i)] = consumertest.N("1")
	}
	one := func(name, value string) consumertest.Item { return consumertest.Item{name: consumertest.S(value)} }
	long := strings.Repeat("k", 2048)
	errs := g.Apply([]consumertest.Change{
		searchtest.At(0, "many", fields), searchtest.At(0, "immense", one("word", strings.Repeat("w", 40<<10))), searchtest.At(0, "no date", one("day", "the 32nd")),
		searchtest.At(0, "fits", one("day", "2026-01-31")), searchtest.At(0, long, searchtest.Text("x")), searchtest.At(0, long+"k", searchtest.Text("y")),
	}, consumer.Rejected, consumer.Rejected, consumer.Rejected, consumer.Applied, consumer.Applied, consumer.Applied)
	for i, want := range []string{"Limit of total fields [1000] has been exceeded", `immense term in field="word"`, `"the 32nd" is no timestamp`} {
		if errs[i] == nil || !strings.Contains(errs[i].Error(), want) || !strings.Contains(errs[i].Error(), "index "+searchtest.Lane(g.Cfg)) {
			t.Errorf("change %d: %v; want %q and the index", i+1, errs[i], want)
		}
	}
	if got := len(g.Texts(searchtest.Lane(g.Cfg))); got != 3 {
		t.Errorf("people find %d documents, want 3", got)
	}

	// As the shipped indexes are, the limit is none: what isn't mapped counts nothing.
	g = searchtest.NewTarget(t, g.Cfg, nil)
	g.Routes[0].Index += "-static"
	g.Apply([]consumertest.Change{searchtest.At(0, "many", fields)}, consumer.Applied)
}

// An answer that breaks off, or is for fewer documents, is none: the request is made
// again, and meets its own effect.
func TestBrokenAnswer(t *testing.T) {
	for name, breakOff := range map[string]func([]byte) []byte{
		"half": func(b []byte) []byte { return b[:len(b)/2] },
		"fewer": func(b []byte) []byte {
			var answer struct {
				Items []json.RawMessage `json:"items"`
			}
			if err := json.Unmarshal(b, &answer); err != nil {
				t.Error(err)
			}
			answer.Items = answer.Items[1:]
			b, err := json.Marshal(answer)
			if err != nil {
				t.Error(err)
			}
			return b
		},
	} {
		t.Run(name, func(t *testing.T) {
			broken := false
			g := searchtest.NewTarget(t, servertest.OpenSearch(t), func(_ *http.Request, response *http.Response) *http.Response {
				body, err := io.ReadAll(response.Body)
				response.Body.Close()
				if err != nil {
					t.Error(err)
				}
				if !broken && bytes.Contains(body, []byte(`"status":201`)) {
					broken, body = true, breakOff(body)
				}
				response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
				return response
			})
			batch := []consumertest.Change{searchtest.At(0, "a", searchtest.Text("x")), searchtest.At(0, "b", searchtest.Text("y"))}
			g.Apply(batch, consumer.Retry, consumer.Retry)
			g.Apply(batch, consumer.Duplicate, consumer.Duplicate)
		})
	}
}

// A request that is too large for the server is split; only a document that is too
// large alone is a dead letter.
func TestTooLarge(t *testing.T) {
	g := searchtest.NewTarget(t, servertest.OpenSearch(t), nil)
	transport := g.Client.API.Transport
	t.Cleanup(func() { g.Client.API.Transport = transport })
	g.Client.API.Transport = limited{transport, 3000}
	changes := []consumertest.Change{searchtest.At(0, "a", searchtest.Text(strings.Repeat("a", 1000))), searchtest.At(0, "b", searchtest.Text(strings.Repeat("b", 5000))), searchtest.At(0, "c", searchtest.Text(strings.Repeat("c", 2000)))}
	g.Apply(changes, consumer.Applied, consumer.Rejected, consumer.Applied)
	if shown := g.Found(searchtest.Lane(g.Cfg)); shown != "a c" {
		t.Errorf("people find %q", shown)
	}
}

// limited refuses bodies of more bytes, as small domains do.
type limited struct {
	performer interface {
		Perform(*http.Request) (*http.Response, error)
	}
	most int64
}

func (l limited) Perform(r *http.Request) (*http.Response, error) {
	if r.ContentLength > l.most {
		return &http.Response{StatusCode: http.StatusRequestEntityTooLarge, Body: io.NopCloser(strings.NewReader("too large")), Request: r}, nil
	}
	return l.performer.Perform(r)
}

// Who isn't let in is told what to look at; nothing is lost, and nothing repeated.
func TestNotLetIn(t *testing.T) {
	for status, want := range map[int]string{http.StatusUnauthorized: "SEARCH_AUTH", http.StatusForbidden: "es:ESHttpPost"} {
		calls := 0
		g := searchtest.NewTarget(t, servertest.OpenSearch(t), func(_ *http.Request, response *http.Response) *http.Response {
			calls++
			response.StatusCode = status
			return response
		})
		errs := g.Apply([]consumertest.Change{searchtest.At(0, "a", searchtest.Text("x"))}, consumer.Retry)
		if refused, ok := errors.AsType[*index.StatusError](errs[0]); !ok || refused.Status != status || !strings.Contains(errs[0].Error(), want) || calls != 1 {
			t.Errorf("%d calls, %v; want one, and a word on %s", calls, errs[0], want)
		}
	}
}

// Who may write to the domain, but not to the index, is told which index that is: a
// domain with fine-grained access control says so of each document.
func TestNotLetIntoIndex(t *testing.T) {
	forbids := false
	g := searchtest.NewTarget(t, servertest.OpenSearch(t), func(_ *http.Request, response *http.Response) *http.Response {
		if !forbids {
			return response
		}
		defer response.Body.Close()
		var answer struct {
			Items []map[string]map[string]any `json:"items"`
		}
		if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
			t.Error(err)
		}
		for _, item := range answer.Items {
			for _, one := range item {
				one["status"] = http.StatusForbidden
				one["error"] = index.Cause{Type: "security_exception", Reason: "no permissions for [indices:data/write/bulk[s]] and User [name=sluice, backend_roles=[], requestedTenant=null]"}
			}
		}
		body, err := json.Marshal(answer)
		if err != nil {
			t.Error(err)
		}
		response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		return response
	})
	g.Apply([]consumertest.Change{searchtest.At(0, "b", searchtest.Text("x"))}, consumer.Applied)
	forbids = true
	errs := g.Apply([]consumertest.Change{searchtest.At(0, "a", searchtest.Text("x"))}, consumer.Retry)
	for _, want := range []string{"index " + searchtest.Lane(g.Cfg) + "-1", "indices:data/write/bulk", "User [name=sluice", "the right to write to the index"} {
		if !strings.Contains(errs[0].Error(), want) {
			t.Errorf("%v; want a word on %s", errs[0], want)
		}
	}
}

// A removal may lack its old image. Fails if the document stays, although nobody can tell whether
// the item matched the route's filter.
func TestRemovalWithoutOldImage(t *testing.T) {
	g := searchtest.NewTarget(t, servertest.OpenSearch(t), nil)
	removal := searchtest.At(1, "a", nil)
	removal.Old = nil
	g.Apply([]consumertest.Change{searchtest.At(0, "a", searchtest.Text("x")), searchtest.At(0, "b", searchtest.Text("y"))}, consumer.Applied, consumer.Applied)
	g.Apply([]consumertest.Change{removal}, consumer.Applied)
	if shown := g.Found(searchtest.Lane(g.Cfg)); shown != "b" {
		t.Errorf("people find %q, want b", shown)
	}
}
