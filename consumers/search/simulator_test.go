package search

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
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"pgregory.net/rapid"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/simulator"
)

func TestMain(m *testing.M) { servertest.Main(m) }

// TestSimulator delivers random histories of items with all types of attributes in
// every way that the stream may; the index must show what its route takes of them.
// The engine forgets its own deletions at once.
func TestSimulator(t *testing.T) {
	s := simulation()
	s.Schedules = 350
	simulator.Run(t, s)
}

// TestSimulatorFewItems is TestSimulator with three items, which are written and
// removed again and again.
func TestSimulatorFewItems(t *testing.T) {
	s := simulation()
	s.Workload.Groups, s.Workload.Burst = 1, 0
	s.Schedules = 150
	simulator.Run(t, s)
}

// TestEveryOrder inserts an item, changes it, removes it, and inserts and changes
// it again, in every order and with every repeat.
func TestEveryOrder(t *testing.T) {
	s := simulation()
	s.Horizon = 0
	texts := []string{"", "a", "b", "", "c"}
	for n := 1; n < len(texts); n++ {
		simulator.EveryOrder(t, s, func(i int) []consumertest.Change { return history(i, texts[:n+1]) })
	}
}

// TestEveryCrash dies at every call of a history that two pollers deliver at once,
// in order and with new changes before old ones.
func TestEveryCrash(t *testing.T) {
	s := simulation()
	s.Horizon = 0
	changes := history(1, []string{"", "a", "", "b", "c", ""})
	simulator.EveryCrash(t, s, changes[4:], changes[2:4], changes[:2], changes[1:3])
}

// testRoute leaves items and attributes out.
const testRoute = `routes:
  - name: test
    from: {table: Source, where: {kind: {prefix: pub}}}
    into: {index: %s, definition: pets.json}
    leaveOut: [secret]
    rename: {any: tags}
`

// testDefinition has an index whose engine forgets deletions at once, and that
// refuses what isn't a long as n.
const testDefinition = `{
  "settings": {"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "-1", "gc_deletes": "0s"},
  "mappings": {"dynamic": false, "properties": {"n": {"type": "long"}}}
}`

// items have binary and number keys, and attributes of every type. Some hold the
// reserved attribute, which is put aside.
var items = simulator.Workload{
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
			item[Field] = consumertest.S("mine")
		}
		return item
	},
	Burst: 40,
}

// values are of every type, and what is reserved on top only.
var values = append(simulator.EveryType(),
	consumertest.Value{"M": consumertest.Item{" ": consumertest.B([]byte("{}")), "_sluice": consumertest.S("not on top"), "a.b": consumertest.N("1"), "a": consumertest.S("")}},
)

// history returns the changes of one item that holds one text after the other;
// "": it isn't there.
func history(item int, texts []string) []consumertest.Change {
	attributes := make([]consumertest.Item, len(texts))
	for i, text := range texts {
		if text != "" {
			attributes[i] = consumertest.Item{"text": consumertest.S(text), "kind": consumertest.S("pub")}
		}
	}
	return consumertest.History(items.Table, items.Key(0, item), attributes...)
}

// touched are the documents that a lane's last schedule may have written, by lane.
var touched sync.Map

func simulation() simulator.Suite {
	return simulator.Suite{
		Name:     "search",
		Workload: items,
		Database: servertest.OpenSearch,
		Setup:    empty,
		Begin: func(_ context.Context, cfg aws.Config, changes []consumertest.Change) error {
			ids := map[string]bool{}
			for _, c := range changes {
				ids[documentID(parsed(c).Keys)] = true
			}
			touched.Store(lane(cfg), slices.Sorted(maps.Keys(ids)))
			return nil
		},
		New:          func(cfg aws.Config) (consumer.Consumer, error) { return newTest(cfg) },
		Read:         readIndex,
		Want:         wantIndex,
		Horizon:      DefaultHorizon,
		ForgetsAfter: purgeMargin,
		Forget: func(ctx context.Context, cfg aws.Config) error {
			s, err := newTest(cfg)
			if err != nil {
				return err
			}
			if err := request(ctx, cfg, http.MethodPost, "/"+lane(cfg)+AllSuffix+"/_refresh", "", nil); err != nil {
				return err
			}
			_, err = s.client.purge(ctx, s.routes[0], consumertest.Arrival)
			return err
		},
	}
}

// lane is the name of the index of the worker that runs schedules.
func lane(cfg aws.Config) string {
	credentials, err := cfg.Credentials.Retrieve(context.Background())
	if err != nil {
		panic(err) // they are static
	}
	return credentials.AccessKeyID
}

func newTest(cfg aws.Config) (*Search, error) {
	settings := DefaultSettings()
	settings.Endpoint, settings.Auth = *cfg.BaseEndpoint, None
	routes, err := settings.ReadRoutes("test.yaml", []byte(fmt.Sprintf(testRoute, lane(cfg))))
	if err != nil {
		return nil, err
	}
	for _, r := range routes {
		r.define(testDefinition)
	}
	return newOf(cfg, settings, routes, time.Now)
}

// request makes a request and reads the answer into out.
func request(ctx context.Context, cfg aws.Config, method, path, body string, out any) error {
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
		return &StatusError{Endpoint: *cfg.BaseEndpoint, Request: method + " " + path, Status: response.StatusCode, Body: string(text)}
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
	ids, used := touched.Load(lane(cfg))
	if !used {
		s, err := newTest(cfg)
		if err != nil {
			return err
		}
		return s.client.make(ctx, s.routes[0])
	}
	var body strings.Builder
	for _, id := range append(ids.([]string), "probe") {
		fmt.Fprintf(&body, `{"delete":{"_id":%q}}`+"\n", id)
	}
	all := "/" + lane(cfg) + AllSuffix
	if err := request(ctx, cfg, http.MethodPost, all+"/_bulk", body.String(), nil); err != nil {
		return err
	}
	// The engine remembers a deletion for a millisecond, the last one longest.
	for ctx.Err() == nil {
		err := request(ctx, cfg, http.MethodPut, all+"/_doc/probe?version_type=external&version=1", "{}", nil)
		if refused, ok := errors.AsType[*StatusError](err); !ok || refused.Status != http.StatusConflict {
			return err
		}
	}
	return ctx.Err()
}

// readIndex reads the documents that changes may have written, by the engine's own
// knowledge, which needs no refresh.
func readIndex(ctx context.Context, cfg aws.Config) (map[string]string, error) {
	known, ok := touched.Load(lane(cfg))
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
	if err := request(ctx, cfg, http.MethodPost, "/"+lane(cfg)+AllSuffix+"/_mget", string(ids), &answer); err != nil {
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
	rest, ok := bytes.CutPrefix(source, []byte(`{"`+Field+`":`))
	if !ok {
		return "", false, fmt.Errorf("it doesn't begin with %s: %s", Field, source)
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
		c := parsed(written)
		id := documentID(c.Keys)
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
				if name == Field {
					aside = fmt.Sprintf(",%q:%q", ItemField, `{"attributes":{"_sluice":"mine"}}`)
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

func parsed(c consumertest.Change) *change.Change {
	p, err := change.Parse(c.Record())
	if err != nil {
		panic(err) // the workload makes them
	}
	return p
}
