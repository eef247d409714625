package search

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
)

// target is a consumer with an index of its own.
type target struct {
	*Search
	t     *testing.T
	cfg   aws.Config
	clock time.Time
}

// newTarget starts an instance whose answers pass through alter, if that is given.
func newTarget(t *testing.T, cfg aws.Config, alter func(*http.Request, *http.Response) *http.Response) *target {
	t.Helper()
	faulty := cfg.Copy()
	faulty.HTTPClient = &http.Client{Transport: altering(func(r *http.Request) (*http.Response, error) {
		response, err := http.DefaultTransport.RoundTrip(r)
		if err == nil && alter != nil {
			response = alter(r, response)
		}
		return response, err
	})}
	faulty.Retryer = func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) {
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		})
	}
	s, err := newTest(faulty)
	if err != nil {
		t.Fatal(err)
	}
	target := &target{Search: s, t: t, cfg: cfg, clock: consumertest.Arrival}
	s.now = func() time.Time { return target.clock }
	s.nextPurge = target.clock.Add(time.Hour)
	return target
}

type altering func(*http.Request) (*http.Response, error)

func (f altering) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// at is a public item's change, seconds after Arrival; attributes nil: its removal.
func at(seconds int, key string, attributes consumertest.Item) consumertest.Change {
	c := insertOf(consumertest.Item{"id": consumertest.S(key)}, consumertest.Item{"kind": consumertest.S("pub")})
	c.Time = c.Time.Add(time.Duration(seconds) * time.Second)
	c.Old, c.New = c.New, nil
	if attributes != nil {
		c.New = c.Old
		c.Old = nil
		for name, v := range attributes {
			c.New[name] = v
		}
	}
	return c
}

func text(s string) consumertest.Item { return consumertest.Item{"text": consumertest.S(s)} }

// apply applies a batch and compares what becomes of each change.
func (g *target) apply(changes []consumertest.Change, want ...consumer.Outcome) []error {
	g.t.Helper()
	errs := g.ApplyBatch(g.t.Context(), parsedAll(changes))
	for i, err := range errs {
		if got := consumer.OutcomeOf(err); got != want[i] {
			g.t.Errorf("change %d of %d is %v (%v), want %v", i+1, len(errs), got, err, want[i])
		}
	}
	return errs
}

func parsedAll(changes []consumertest.Change) []*change.Change {
	batch := make([]*change.Change, len(changes))
	for i, c := range changes {
		batch[i] = parsed(c)
	}
	return batch
}

func (g *target) must(method, path, body string, out any) {
	g.t.Helper()
	if err := request(g.t.Context(), g.cfg, method, path, body, out); err != nil {
		g.t.Fatal(err)
	}
}

// found returns the ids that a search of the alias finds, after a refresh.
func (g *target) found(alias string) string {
	g.t.Helper()
	g.must(http.MethodPost, "/"+lane(g.cfg)+AllSuffix+"/_refresh", "", nil)
	var answer struct {
		Hits struct {
			Hits []struct {
				ID string `json:"_id"`
			}
		}
	}
	g.must(http.MethodPost, "/"+alias+"/_search", `{}`, &answer)
	var ids []string
	for _, hit := range answer.Hits.Hits {
		ids = append(ids, hit.ID)
	}
	slices.Sort(ids)
	return strings.Join(ids, " ")
}

// An index that isn't there is made, with both aliases; what is removed is hidden
// from those who search, and remembered until no older change can come.
func TestLife(t *testing.T) {
	g := newTarget(t, servertest.OpenSearch(t), nil)
	index := lane(g.cfg)
	g.apply([]consumertest.Change{at(0, "a", text("x")), at(0, "b", text("y"))}, consumer.Applied, consumer.Applied)
	g.apply([]consumertest.Change{at(2, "b", nil), at(0, "a", text("x")), at(-1, "a", text("w"))}, consumer.Applied, consumer.Duplicate, consumer.Stale)
	if shown, all := g.found(index), g.found(index+AllSuffix); shown != "a" || all != "a b" {
		t.Errorf("people find %q of %q", shown, all)
	}
	// The engine forgets deletions at once here; another instance doesn't.
	other := newTarget(t, g.cfg, nil)
	other.apply([]consumertest.Change{at(1, "b", text("z")), at(3, "c", nil)}, consumer.Stale, consumer.Applied)
	if shown := g.found(index); shown != "a" {
		t.Errorf("people find %q: what was removed came back", shown)
	}

	g.clock = g.clock.Add(DefaultHorizon + purgeMargin + 2500*time.Millisecond)
	g.apply([]consumertest.Change{at(1, "b", text("z"))}, consumer.Rejected)
	if shown, all := g.found(index), g.found(index+AllSuffix); shown != "a" || all != "a c" {
		t.Errorf("after the horizon people find %q of %q, want a of a c", shown, all)
	}
	if counts := g.Metrics(); counts["Purged"] != 1 || counts["FailedPurges"] != 0 {
		t.Errorf("counted %v", counts)
	}
}

// What the index can't take becomes a dead letter that says why; an older change of
// that item and other items go on.
func TestRefusedDocuments(t *testing.T) {
	g := newTarget(t, servertest.OpenSearch(t), nil)
	n := func(text string) consumertest.Item { return consumertest.Item{"n": consumertest.N(text)} }
	errs := g.apply([]consumertest.Change{at(0, "a", n("1")), at(1, "a", n("99999999999999999999")), at(1, "b", n("2")), at(1, "c", consumertest.Item{Field: consumertest.S("x")}), at(2, "d", consumertest.Item{"n": consumertest.S("no number")})},
		consumer.Applied, consumer.Rejected, consumer.Applied, consumer.Applied, consumer.Rejected)
	for i, want := range []string{"", "failed to parse field [n] of type [long]", "", "", "failed to parse field [n] of type [long]"} {
		if want != "" && (errs[i] == nil || !strings.Contains(errs[i].Error(), want) || !strings.Contains(errs[i].Error(), "index "+lane(g.cfg))) {
			t.Errorf("change %d: %v; want %q and the index", i+1, errs[i], want)
		}
	}
	if shown := g.found(lane(g.cfg)); shown != "a b c" {
		t.Errorf("people find %q", shown)
	}
}

// What a mapping has no room for is a dead letter that names the field or the limit; the
// documents beside it go on, whatever their ids are.
func TestDocumentsThatDoNotFit(t *testing.T) {
	g := newTarget(t, servertest.OpenSearch(t), nil)
	g.routes[0].define(`{"settings": {"number_of_replicas": 0}, "mappings": {"properties": {"word": {"type": "keyword"}, "day": {"type": "date"}}}}`)
	fields := consumertest.Item{}
	for i := range 1001 {
		fields[fmt.Sprint("f", i)] = consumertest.N("1")
	}
	one := func(name, value string) consumertest.Item { return consumertest.Item{name: consumertest.S(value)} }
	long := strings.Repeat("k", 2048)
	errs := g.apply([]consumertest.Change{
		at(0, "many", fields), at(0, "immense", one("word", strings.Repeat("w", 40<<10))), at(0, "no date", one("day", "the 32nd")),
		at(0, "fits", one("day", "2026-01-31")), at(0, long, text("x")), at(0, long+"k", text("y")),
	}, consumer.Rejected, consumer.Rejected, consumer.Rejected, consumer.Applied, consumer.Applied, consumer.Applied)
	for i, want := range []string{"Limit of total fields [1000] has been exceeded", `immense term in field="word"`, `"the 32nd" is no timestamp`} {
		if errs[i] == nil || !strings.Contains(errs[i].Error(), want) || !strings.Contains(errs[i].Error(), "index "+lane(g.cfg)) {
			t.Errorf("change %d: %v; want %q and the index", i+1, errs[i], want)
		}
	}
	if got := len(g.texts(lane(g.cfg))); got != 3 {
		t.Errorf("people find %d documents, want 3", got)
	}

	// As the shipped indexes are, the limit is none: what isn't mapped counts nothing.
	g = newTarget(t, g.cfg, nil)
	g.routes[0].Index += "-static"
	g.apply([]consumertest.Change{at(0, "many", fields)}, consumer.Applied)
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
			g := newTarget(t, servertest.OpenSearch(t), func(_ *http.Request, response *http.Response) *http.Response {
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
			batch := []consumertest.Change{at(0, "a", text("x")), at(0, "b", text("y"))}
			g.apply(batch, consumer.Retry, consumer.Retry)
			g.apply(batch, consumer.Duplicate, consumer.Duplicate)
		})
	}
}

// A request that is too large for the server is split; only a document that is too
// large alone is a dead letter.
func TestTooLarge(t *testing.T) {
	g := newTarget(t, servertest.OpenSearch(t), nil)
	transport := g.client.api.Transport
	t.Cleanup(func() { g.client.api.Transport = transport })
	g.client.api.Transport = limited{transport, 3000}
	changes := []consumertest.Change{at(0, "a", text(strings.Repeat("a", 1000))), at(0, "b", text(strings.Repeat("b", 5000))), at(0, "c", text(strings.Repeat("c", 2000)))}
	g.apply(changes, consumer.Applied, consumer.Rejected, consumer.Applied)
	if shown := g.found(lane(g.cfg)); shown != "a c" {
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
		g := newTarget(t, servertest.OpenSearch(t), func(_ *http.Request, response *http.Response) *http.Response {
			calls++
			response.StatusCode = status
			return response
		})
		errs := g.apply([]consumertest.Change{at(0, "a", text("x"))}, consumer.Retry)
		if refused, ok := errors.AsType[*StatusError](errs[0]); !ok || refused.Status != status || !strings.Contains(errs[0].Error(), want) || calls != 1 {
			t.Errorf("%d calls, %v; want one, and a word on %s", calls, errs[0], want)
		}
	}
}

// Who may write to the domain, but not to the index, is told which index that is: a
// domain with fine-grained access control says so of each document.
func TestNotLetIntoIndex(t *testing.T) {
	forbids := false
	g := newTarget(t, servertest.OpenSearch(t), func(_ *http.Request, response *http.Response) *http.Response {
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
				one["error"] = Cause{Type: "security_exception", Reason: "no permissions for [indices:data/write/bulk[s]] and User [name=sluice, backend_roles=[], requestedTenant=null]"}
			}
		}
		body, err := json.Marshal(answer)
		if err != nil {
			t.Error(err)
		}
		response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		return response
	})
	g.apply([]consumertest.Change{at(0, "b", text("x"))}, consumer.Applied)
	forbids = true
	errs := g.apply([]consumertest.Change{at(0, "a", text("x"))}, consumer.Retry)
	for _, want := range []string{"index " + lane(g.cfg) + "-1", "indices:data/write/bulk", "User [name=sluice", "the right to write to the index"} {
		if !strings.Contains(errs[0].Error(), want) {
			t.Errorf("%v; want a word on %s", errs[0], want)
		}
	}
}

// A removal may lack its old image. Fails if the document stays, although nobody can tell whether
// the item matched the route's filter.
func TestRemovalWithoutOldImage(t *testing.T) {
	g := newTarget(t, servertest.OpenSearch(t), nil)
	removal := at(1, "a", nil)
	removal.Old = nil
	g.apply([]consumertest.Change{at(0, "a", text("x")), at(0, "b", text("y"))}, consumer.Applied, consumer.Applied)
	g.apply([]consumertest.Change{removal}, consumer.Applied)
	if shown := g.found(lane(g.cfg)); shown != "b" {
		t.Errorf("people find %q, want b", shown)
	}
}
