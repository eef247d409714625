package query

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"sluice/consumers/search"
	"sluice/shared/consumertest/gametest"
)

// ask asks a handler.
func ask(t *testing.T, h http.Handler, method, target string) *httptest.ResponseRecorder {
	t.Helper()
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), method, target, nil))
	return recorder
}

// The API answers as Search does, and tells faults by status and column.
func TestHTTP(t *testing.T) {
	w := newWorld(t)
	w.pets()
	h := NewHandler(w.Searcher, slog.New(slog.DiscardHandler))
	got := ask(t, h, http.MethodGet, "/search?index=pets&q="+url.QueryEscape("dog weight:>5")+"&sort=-weight&size=1&facet=species&facet=tags&filter=tags%3Dbrown&highlight=true")
	var a Answer
	if err := json.Unmarshal(got.Body.Bytes(), &a); err != nil || got.Code != http.StatusOK || names(&a) != "rex" || a.Total.Count != 2 || len(a.Facets) != 2 {
		t.Fatalf("%d: %s %v", got.Code, got.Body, err)
	}
	if header := got.Header().Get("Content-Type") + " " + got.Header().Get("Cache-Control"); header != "application/json; charset=utf-8 no-store" {
		t.Errorf("headers %s", header)
	}
	got = ask(t, h, http.MethodGet, "/search?index=pets&q="+url.QueryEscape("dog weight:>5")+"&sort=-weight&size=1&filter=tags%3Dbrown&after="+a.Next)
	var second Answer
	if err := json.Unmarshal(got.Body.Bytes(), &second); err != nil || names(&second) != "bello" || second.Next != "" {
		t.Errorf("the second page is %s %v", got.Body, err)
	}
	for target, want := range map[string]string{
		"GET /search?index=pets&q=wight:1":         `400 {"error":"query, column 1: there is no field wight; there are: PK, SK, age, breed, entityType, name, notes, ownerId, petId, species, tags, weight; quote what you look for if it has a colon","column":1}`,
		"GET /search?index=pets&size=0":            `400 {"error":"size: it must be from 1 to 100 (got \"0\")"}`,
		"GET /search?index=pets&size=101":          `400 {"error":"size: it must be from 1 to 100 (got 101)"}`,
		"GET /search?index=pets&q=a&q=b":           `400 {"error":"request: parameter q stands 2 times"}`,
		"GET /search?index=pets&query=a":           `400 {"error":"request: there is no parameter \"query\"; there are: after, facet, filter, highlight, index, q, size, sort"}`,
		"GET /search?index=pets&filter=x":          `400 {"error":"filter: \"x\" isn't of the form field=value"}`,
		"GET /search?index=pets&q=%zz":             `400 {"error":"request: its parameters aren't escaped as in URLs"}`,
		"GET /search?index=pets-all":               `404 {"error":"there is no index \"pets-all\"; there are: pets, players, plays"}`,
		"GET /search?index=players":                `404 {"error":"index players isn't there yet: the consumer makes it when the first item of its table changes"}`,
		"POST /search?index=pets":                  `405 {"error":"ask with GET"}`,
		"GET /search?index=pets&highlight=perhaps": `400 {"error":"highlight: it must be true or false (got \"perhaps\")"}`,
	} {
		method, path, _ := strings.Cut(target, " ")
		got := ask(t, h, method, path)
		if text := fmt.Sprint(got.Code, " ", strings.TrimSpace(got.Body.String())); text != want {
			t.Errorf("%s: %s\nwant %s", target, text, want)
		}
	}
}

// Without OpenSearch, or with a slow one, people are told so, and nothing of where it
// is; the log has that.
func TestHTTPWithoutOpenSearch(t *testing.T) {
	w := newWorld(t)
	w.pets()
	for name, test := range map[string]struct {
		client  aws.HTTPClient
		timeout time.Duration
		status  int
		says    string
	}{
		"down":     {answering(http.StatusServiceUnavailable, "the domain is down"), DefaultTimeout, http.StatusBadGateway, "can't be made at the moment"},
		"rights":   {answering(http.StatusForbidden, "no permissions for [indices:data/read/search]"), DefaultTimeout, http.StatusBadGateway, "can't be made at the moment"},
		"half":     {answering(http.StatusOK, `{"responses":[{`), DefaultTimeout, http.StatusBadGateway, "can't be made at the moment"},
		"partial":  {partial, DefaultTimeout, http.StatusBadGateway, "can't be made at the moment"},
		"too slow": {http.DefaultClient, time.Nanosecond, http.StatusGatewayTimeout, "took too long"},
	} {
		t.Run(name, func(t *testing.T) {
			routes, err := search.Routes(gametest.Declarations())
			if err != nil {
				t.Fatal(err)
			}
			searcher, err := New(aws.Config{HTTPClient: test.client}, w.settings, routes)
			if err != nil {
				t.Fatal(err)
			}
			searcher.Timeout = test.timeout
			var log bytes.Buffer
			got := ask(t, NewHandler(searcher, slog.New(slog.NewTextHandler(&log, nil))), http.MethodGet, "/search?index=pets")
			if body := got.Body.String(); got.Code != test.status || !strings.Contains(body, test.says) || strings.Contains(body, "127.0.0.1") || strings.Contains(body, "permissions") {
				t.Errorf("%d: %s", got.Code, body)
			}
			if !strings.Contains(log.String(), "a search isn't answered") {
				t.Errorf("the log has %s", log.String())
			}
		})
	}
}

type clientFunc func(*http.Request) (*http.Response, error)

func (f clientFunc) Do(r *http.Request) (*http.Response, error) { return f(r) }

// answering answers every search so; mappings are told truly.
func answering(status int, body string) aws.HTTPClient {
	return clientFunc(func(r *http.Request) (*http.Response, error) {
		if !strings.Contains(r.URL.Path, "_msearch") {
			return http.DefaultClient.Do(r)
		}
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	})
}

// partial says that a shard has failed.
var partial = clientFunc(func(r *http.Request) (*http.Response, error) {
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(bytes.ReplaceAll(body, []byte(`"failed":0`), []byte(`"failed":1`))))
	response.ContentLength = -1
	return response, nil
})
