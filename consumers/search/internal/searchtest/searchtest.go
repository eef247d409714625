// Package searchtest has what the tests of search and of its operators share: a route, an index a lane, and the simulator's
// suite.
package searchtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"pgregory.net/rapid"

	"sluice/consumers/search"
	"sluice/consumers/search/internal/document"
	"sluice/consumers/search/internal/index"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/gametest"
	"sluice/shared/consumertest/simulator"
)

// Target is a consumer with an index of its own.
type Target struct {
	*search.Search
	T      testing.TB
	Cfg    aws.Config
	Client *index.Client
	Routes []*document.Route
	Clock  time.Time
}

// NewTarget starts an instance whose answers pass through alter, if that is given.
func NewTarget(t testing.TB, cfg aws.Config, alter func(*http.Request, *http.Response) *http.Response) *Target {
	t.Helper()
	faulty := cfg.Copy()
	faulty.HTTPClient = &http.Client{Transport: RoundTripper(func(r *http.Request) (*http.Response, error) {
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
	g := &Target{T: t, Cfg: cfg, Clock: consumertest.Arrival}
	var err error
	if g.Client, g.Routes, err = open(faulty); err != nil {
		t.Fatal(err)
	}
	g.Restart()
	return g
}

// Restart puts a new instance, which knows nothing yet, in the place of the target's, with further routes.
func (g *Target) Restart(more ...*document.Route) {
	g.Routes = append(g.Routes, more...)
	g.Search = search.NewWith(g.Client, g.Routes, search.DefaultHorizon, func() time.Time { return g.Clock })
}

// RoundTripper is a function that implements http.RoundTripper.
type RoundTripper func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f RoundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// At is a public item's change, seconds after Arrival; attributes nil: its removal.
func At(seconds int, key string, attributes consumertest.Item) consumertest.Change {
	c := InsertOf(consumertest.Item{"id": consumertest.S(key)}, consumertest.Item{"kind": consumertest.S("pub")})
	c.Time = c.Time.Add(time.Duration(seconds) * time.Second)
	if attributes == nil {
		c.Old, c.New = c.New, nil
	}
	maps.Copy(c.New, attributes)
	return c
}

// Text returns attributes with a text.
func Text(s string) consumertest.Item { return consumertest.Item{"text": consumertest.S(s)} }

// Apply applies a batch and compares the outcome of each change.
func (g *Target) Apply(changes []consumertest.Change, want ...consumer.Outcome) []error {
	g.T.Helper()
	errs := g.ApplyBatch(g.T.Context(), ParsedAll(changes))
	for i, err := range errs {
		if got := consumer.OutcomeOf(err); got != want[i] {
			g.T.Errorf("change %d of %d is %v (%v), want %v", i+1, len(errs), got, err, want[i])
		}
	}
	return errs
}

// ParsedAll returns the changes as a batch.
func ParsedAll(changes []consumertest.Change) []*change.Change {
	batch := make([]*change.Change, len(changes))
	for i, c := range changes {
		batch[i] = Parsed(c)
	}
	return batch
}

// Must makes a request to OpenSearch, and ends the test if it fails. It reads the answer into out, unless that is nil.
func (g *Target) Must(method, path, body string, out any) {
	g.T.Helper()
	if err := Request(g.T.Context(), g.Cfg, method, path, body, out); err != nil {
		g.T.Fatal(err)
	}
}

// Texts returns what a search of the alias finds, after a refresh: the text of each
// document, by id.
func (g *Target) Texts(alias string) map[string]string {
	g.T.Helper()
	g.Must(http.MethodPost, "/"+Lane(g.Cfg)+document.AllSuffix+"/_refresh", "", nil)
	var answer struct {
		Hits struct {
			Hits []struct {
				ID     string             `json:"_id"`
				Source struct{ Text any } `json:"_source"`
			}
		}
	}
	g.Must(http.MethodPost, "/"+alias+"/_search", `{"size": 10000}`, &answer)
	found := map[string]string{}
	for _, hit := range answer.Hits.Hits {
		found[hit.ID], _ = hit.Source.Text.(string)
	}
	return found
}

// Found returns the ids that a search of the alias finds, after a refresh.
func (g *Target) Found(alias string) string {
	g.T.Helper()
	return strings.Join(slices.Sorted(maps.Keys(g.Texts(alias))), " ")
}

// InsertOf returns the insertion of an item at consumertest.Arrival.
func InsertOf(keys, attributes consumertest.Item) consumertest.Change {
	image := maps.Clone(keys)
	maps.Copy(image, attributes)
	return consumertest.Change{Table: "Source", Time: consumertest.Arrival, Keys: keys, New: image}
}

// RouteFile leaves items and attributes out.
const RouteFile = `routes:
  - name: test
    from: {table: Source, where: {kind: {prefix: pub}}}
    into: {index: %s, definition: ` + gametest.Definition + `}
    leaveOut: [secret]
    rename: {any: tags}
`

// Definition has an index whose engine forgets deletions at once, and that
// refuses what isn't a long as n.
const Definition = `{
  "settings": {"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "-1", "gc_deletes": "0s"},
  "mappings": {"dynamic": false, "properties": {"n": {"type": "long"}}}
}`

// Items have binary and number keys, and attributes of every type. Some hold the
// reserved attribute, which is put aside.
var Items = simulator.Workload{
	Table: "Source",
	Key: func(group, n int) consumertest.Item {
		numbers := []string{"12345678901234567890123456789012345678", "-0.5", "1e3"}
		return consumertest.Item{"id": consumertest.B([]byte{0xff, byte(group), 0, byte(n), byte(n >> 8)}), "part": consumertest.N(numbers[group%len(numbers)])}
	},
	Attributes: func(t *rapid.T, _ int) consumertest.Item {
		item := consumertest.Item{
			"kind":   consumertest.S(rapid.SampledFrom([]string{"public", "pub", "private"}).Draw(t, "kind")),
			"secret": consumertest.N(simulator.Numbers().Draw(t, "secret")),
			"any":    rapid.SampledFrom(values).Draw(t, "any"),
		}
		if rapid.Bool().Draw(t, "has n") {
			item["n"] = consumertest.N(rapid.SampledFrom([]string{"1", "-9223372036854775808"}).Draw(t, "n"))
		}
		if rapid.IntRange(0, 19).Draw(t, "reserved") == 19 {
			item[document.Field] = consumertest.S("mine")
		}
		return item
	},
	Burst: 40,
}

// values are of every type, and what is reserved on top only.
var values = append(simulator.EveryType(),
	consumertest.Value{"M": consumertest.Item{" ": consumertest.B([]byte("{}")), "_sluice": consumertest.S("not on top"), "a.b": consumertest.N("1"), "a": consumertest.S("")}},
)

// touched are the documents that a lane's last schedule may have written, by lane.
var touched sync.Map

// Suite returns the simulator's suite for the function, on an OpenSearch that database returns.
func Suite(database func(testing.TB) aws.Config) simulator.Suite {
	return simulator.Suite{
		Name:     "search",
		Workload: Items,
		Database: database,
		Setup:    empty,
		Begin: func(_ context.Context, cfg aws.Config, changes []consumertest.Change) error {
			ids := map[string]bool{}
			for _, c := range changes {
				ids[document.ID(Parsed(c).Keys)] = true
			}
			touched.Store(Lane(cfg), slices.Sorted(maps.Keys(ids)))
			return nil
		},
		New:          func(cfg aws.Config) (consumer.Consumer, error) { return New(cfg, time.Now) },
		Read:         readIndex,
		Want:         wantIndex,
		Horizon:      search.DefaultHorizon,
		ForgetsAfter: search.PurgeMargin,
		Forget: func(ctx context.Context, cfg aws.Config) error {
			client, routes, err := open(cfg)
			if err != nil {
				return err
			}
			if err := Request(ctx, cfg, http.MethodPost, "/"+Lane(cfg)+document.AllSuffix+"/_refresh", "", nil); err != nil {
				return err
			}
			_, err = client.Purge(ctx, routes[0], consumertest.Arrival)
			return err
		},
	}
}

// Lane is the name of the index of the worker that runs schedules.
func Lane(cfg aws.Config) string {
	credentials, err := cfg.Credentials.Retrieve(context.Background())
	if err != nil {
		panic(err) // they are static
	}
	return credentials.AccessKeyID
}

// Routes are the routes of a file, with the lane's index in the place of %s.
func Routes(cfg aws.Config, file string) ([]*document.Route, error) {
	routes, err := search.Routes(gametest.With(search.RoutesFile, "test.yaml", fmt.Sprintf(file, Lane(cfg))))
	for _, r := range routes {
		Define(r, Definition)
	}
	return routes, err
}

// RouteOf is a route from a table to an index called test, with further lines of its declaration.
func RouteOf(definition string, lines ...string) *document.Route {
	file := "routes:\n  - name: test\n    from: {table: Source}\n    into: {index: test, definition: items.json}\n"
	for _, line := range lines {
		file += "    " + line + "\n"
	}
	routes, err := document.ReadRoutes("test.yaml", []byte(file), nil, fstest.MapFS{"indexes/items.json": {Data: []byte("{}")}}, "")
	if err != nil {
		panic(err) // tests write them
	}
	Define(routes[0], definition)
	return routes[0]
}

// Define gives a route's index another definition.
func Define(r *document.Route, definition string) {
	if err := r.Define([]byte(definition)); err != nil {
		panic(err) // tests write them
	}
}

// Connection returns the connection to a test's OpenSearch.
func Connection(cfg aws.Config) index.Connection {
	return index.Connection{Endpoint: *cfg.BaseEndpoint, Auth: index.None}
}

// NewClient returns a client of a test's OpenSearch.
func NewClient(cfg aws.Config) (*index.Client, error) { return index.NewClient(cfg, Connection(cfg)) }

// open returns a client and the lane's route.
func open(cfg aws.Config) (*index.Client, []*document.Route, error) {
	client, err := NewClient(cfg)
	if err != nil {
		return nil, nil, err
	}
	routes, err := Routes(cfg, RouteFile)
	return client, routes, err
}

// New returns an instance with the lane's route.
func New(cfg aws.Config, now func() time.Time) (*search.Search, error) {
	client, routes, err := open(cfg)
	if err != nil {
		return nil, err
	}
	return search.NewWith(client, routes, search.DefaultHorizon, now), nil
}

// MakeIndex makes the lane's index unless it is there.
func MakeIndex(ctx context.Context, cfg aws.Config) error {
	client, routes, err := open(cfg)
	if err != nil {
		return err
	}
	return client.CreateFirst(ctx, routes[0])
}

// Request makes a request and reads the answer into out.
func Request(ctx context.Context, cfg aws.Config, method, path, body string, out any) error {
	r, err := http.NewRequestWithContext(ctx, method, *cfg.BaseEndpoint+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		return &index.StatusError{Endpoint: *cfg.BaseEndpoint, Request: method + " " + path, Status: response.StatusCode, Body: string(text)}
	}
	if out == nil {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return decoder.Decode(out)
}

// empty makes the lane's index, or removes what the last schedule has left of it;
// the index itself stays, since making one takes long.
func empty(ctx context.Context, cfg aws.Config) error {
	ids, used := touched.Load(Lane(cfg))
	if !used {
		return MakeIndex(ctx, cfg)
	}
	var body strings.Builder
	for _, id := range append(ids.([]string), "probe") {
		fmt.Fprintf(&body, `{"delete":{"_id":%q}}`+"\n", id)
	}
	all := "/" + Lane(cfg) + document.AllSuffix
	if err := Request(ctx, cfg, http.MethodPost, all+"/_bulk", body.String(), nil); err != nil {
		return err
	}
	// The engine remembers a deletion for a millisecond, the last one longest.
	for ctx.Err() == nil {
		err := Request(ctx, cfg, http.MethodPut, all+"/_doc/probe?version_type=external&version=1", "{}", nil)
		if refused, ok := errors.AsType[*index.StatusError](err); !ok || refused.Status != http.StatusConflict {
			return err
		}
	}
	return ctx.Err()
}

// readIndex reads the documents that changes may have written, by the engine's own
// knowledge, which needs no refresh.
func readIndex(ctx context.Context, cfg aws.Config) (map[string]string, error) {
	known, ok := touched.Load(Lane(cfg))
	if !ok || len(known.([]string)) == 0 {
		return map[string]string{}, nil
	}
	ids, err := json.Marshal(map[string]any{"ids": known})
	if err != nil {
		return nil, err
	}
	var answer struct {
		Docs []struct {
			ID     string          `json:"_id"`
			Source json.RawMessage `json:"_source"`
			Found  bool
		}
	}
	if err := Request(ctx, cfg, http.MethodPost, "/"+Lane(cfg)+document.AllSuffix+"/_mget", string(ids), &answer); err != nil {
		return nil, err
	}
	shown := map[string]string{}
	for _, d := range answer.Docs {
		if !d.Found {
			continue
		}
		text, gone, err := withoutOwn(d.Source)
		if err != nil {
			return nil, fmt.Errorf("document %s: %w", d.ID, err)
		}
		if !gone {
			shown[d.ID] = text
		}
	}
	return shown, nil
}

// withoutOwn takes Sluice's own field out of a document, which must begin with it.
func withoutOwn(source []byte) (text string, gone bool, err error) {
	rest, ok := bytes.CutPrefix(source, []byte(`{"`+document.Field+`":`))
	if !ok {
		return "", false, fmt.Errorf("it doesn't begin with %s: %s", document.Field, source)
	}
	decoder := json.NewDecoder(bytes.NewReader(rest))
	var own struct {
		Time, Indexed time.Time
		Deleted       bool
	}
	if err := decoder.Decode(&own); err != nil {
		return "", false, err
	}
	if own.Time.IsZero() || own.Indexed.Before(own.Time) {
		return "", false, fmt.Errorf("it was indexed at %v for a change of %v", own.Indexed, own.Time)
	}
	return string(rest[decoder.InputOffset():]), own.Deleted, nil
}

// wantIndex returns the documents that the changes leave, by hand.
func wantIndex(changes []consumertest.Change) map[string]string {
	sorted := slices.Clone(changes)
	slices.SortStableFunc(sorted, func(a, b consumertest.Change) int { return a.Written().Compare(b.Written()) })
	left := map[string]string{}
	for _, written := range sorted {
		c := Parsed(written)
		id := document.ID(c.Keys)
		kind, _ := c.New.String("kind")
		if !strings.HasPrefix(kind, "pub") {
			delete(left, id)
			continue
		}
		var fields []string
		aside := "" // what can't be a field
		add := func(image change.Image, skip func(string) bool) {
			for name, v := range image.All() {
				if skip(name) {
					continue
				}
				if name == "any" {
					name = "tags"
				}
				if name == document.Field {
					aside = fmt.Sprintf(",%q:%q", document.ItemField, `{"attributes":{"_sluice":"mine"}}`)
					continue
				}
				fields = append(fields, fmt.Sprintf("%q:%s", name, v.AppendJSON(nil)))
			}
		}
		add(c.Keys, func(string) bool { return false })
		add(c.New, func(name string) bool { return name == "id" || name == "part" || name == "secret" })
		left[id] = "," + strings.Join(fields, ",") + aside + "}"
	}
	return left
}

// Parsed returns a change as the function gets it.
func Parsed(c consumertest.Change) *change.Change {
	p, err := change.Parse(c.Record())
	if err != nil {
		panic(err) // the workload makes them
	}
	return p
}

// DateForms are forms of a timestamp, most of which other consumers take.
func DateForms() []string {
	var forms []string
	for _, between := range []string{" ", "T"} {
		for digits := range 13 {
			fraction := ""
			if digits > 0 {
				fraction = "." + "1234567891234"[:digits]
			}
			for _, zone := range []string{"", "Z", "+00:00", "-00:00", "+05:30", "-11:00", "+14:00", "+17:59", "+18:00", "+18:01", "+23:59"} {
				forms = append(forms, "2026-11-30"+between+"08:00:05"+fraction+zone)
			}
		}
	}
	return append(forms, "2026-11-30", "1970-01-01", "1970-01-01 00:00:00", "2262-04-11 23:47:16.854775807", "2024-02-29", "2026-11-30 8:00:00", "2026-11-30 08:00:05,5", "2026-11-30T08:00:05,123Z", "2026-11-30 24:00:00", "2026-02-29",
		"1969-12-31 23:59:59", "2262-04-11 23:47:17", "0001-01-01", "9999-12-31T23:59:59Z", "", "x", "2026", "2026-11", "1700000000000", "2026-11-30T08", "2026-11-30 08:00",
		"2026-11-30T08:00", "2026-11-30T08:00Z", "2026T08", "2026-11T08:00:05Z", "2026-11-30T", "2026-11-30T24:00:00Z", "2026-W48", "2026-W48-1", "2026-334", "+2026-11-30", "-2026-11-30", "+12026-11-30", "12026-11-30", "20261130", "2026-1-5",
		"2026-11-30T08:00:05+0530", "2026-11-30T08:00:05+05", "2026-11-30T08:00:05.5-1100", "2026-11-30 08:00:05+0530", "2026-11-30T08:00:05+05:60", "2026-11-30T08:00:05+24:00", "2026-11-30T08:00:05 Z", "2026-11-30T08:00:05z", "2026-11-30t08:00:05Z",
		"2026-11-30T08:00:05.Z", "2026-11-30 08:00:05.+00000", "0026", " 2026", "1", "2026.5", "now", "2026-11-30||/M", "2026-11-30 24:00:00.000000", "2026-02-29 08:00:05.000000", "2026-11-30 08:60:05.000000", "2026-11-30 08:00:05.00000x", "+026-11-30 08:00:05.000000", "2026-11-30T08:00:05[UTC]")
}
