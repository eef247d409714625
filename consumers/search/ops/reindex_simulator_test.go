package ops

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"sluice/consumers/search"
	"sluice/consumers/search/internal/searchtest"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/simulator"
)

// TestSimulatorReindex makes the index anew, up to twice, while the changes come as the
// stream may deliver them: the tool's calls go with those of the function, as the
// schedule lets them, the tool is killed at any of them, and each poller may have a run
// beside it.
func TestSimulatorReindex(t *testing.T) {
	s := reindexedSuite(t)
	s.Schedules = 25
	simulator.Run(t, s)
}

// TestSimulatorReindexFewItems is TestSimulatorReindex with three items, which are
// written and removed again and again.
func TestSimulatorReindexFewItems(t *testing.T) {
	s := reindexedSuite(t)
	s.Workload.Groups, s.Workload.Burst = 1, 0
	s.Schedules = 25
	simulator.Run(t, s)
}

// plainItems have keys and attributes that DynamoDB gives back as they were written.
var plainItems = simulator.Workload{
	Table: "Source",
	Key: func(group, n int) consumertest.Item {
		return consumertest.Item{"id": consumertest.S(fmt.Sprint(group, "/", n)), "part": consumertest.N(fmt.Sprint(n))}
	},
	Attributes: func(t *rapid.T, _ int) consumertest.Item {
		return consumertest.Item{
			"kind": consumertest.S(rapid.SampledFrom([]string{"public", "pub", "private"}).Draw(t, "kind")),
			"any":  consumertest.N(fmt.Sprint(rapid.IntRange(0, 999).Draw(t, "any"))),
		}
	},
	Burst: 12,
}

// sources are the tables' databases, by lane.
var sources sync.Map

func reindexedSuite(t *testing.T) simulator.Suite {
	s := searchtest.Suite(servertest.OpenSearch)
	s.Workload = plainItems
	s.Rejects = nil
	s.Database = func(tb testing.TB) aws.Config {
		cfg := servertest.OpenSearch(tb)
		sources.Store(searchtest.Lane(cfg), servertest.DynamoDB(tb))
		return cfg
	}
	var worlds, outsides sync.Map // by lane
	of := func(cfg aws.Config) *reindexedWorld {
		w, _ := worlds.Load(searchtest.Lane(cfg))
		return w.(*reindexedWorld)
	}
	s.Setup = func(ctx context.Context, cfg aws.Config) error {
		source, _ := sources.Load(searchtest.Lane(cfg))
		if err := createSource(ctx, source.(aws.Config)); err != nil {
			return err
		}
		if err := dropIndexes(ctx, cfg); err != nil {
			return err
		}
		return searchtest.MakeIndex(ctx, cfg)
	}
	begin := s.Begin
	s.Begin = func(ctx context.Context, cfg aws.Config, changes []consumertest.Change) error {
		if err := begin(ctx, cfg, changes); err != nil {
			return err
		}
		source, _ := sources.Load(searchtest.Lane(cfg))
		outside, found := outsides.Load(searchtest.Lane(cfg))
		if !found {
			outside = simulator.NewOutside(t)
			outsides.Store(searchtest.Lane(cfg), outside)
		}
		w := newReindexedWorld(cfg, source.(aws.Config), outside.(*simulator.Outside), changes)
		worlds.Store(searchtest.Lane(cfg), w)
		return nil
	}
	s.New = func(cfg aws.Config) (consumer.Consumer, error) {
		w := of(cfg)
		search, err := searchtest.New(cfg, w.Now)
		if err != nil {
			return nil, err
		}
		return &reindexing{Search: search, world: w, config: cfg}, nil
	}
	read, want := s.Read, s.Want
	s.Read = func(ctx context.Context, cfg aws.Config) (map[string]string, error) {
		if err := of(cfg).finish(ctx); err != nil {
			return nil, err
		}
		return sorted(read(ctx, cfg))
	}
	s.Want = func(changes []consumertest.Change) map[string]string {
		left, err := sorted(want(changes), nil)
		if err != nil {
			panic(err) // it is made of JSON
		}
		return left
	}
	return s
}

// createSource makes the table, empty.
func createSource(ctx context.Context, cfg aws.Config) error {
	return simulator.Recreate(ctx, cfg, &dynamodb.CreateTableInput{
		TableName: aws.String("Source"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("part"), AttributeType: types.ScalarAttributeTypeN},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String("part"), KeyType: types.KeyTypeRange},
		},
	})
}

// dropIndexes removes the lane's indexes.
func dropIndexes(ctx context.Context, cfg aws.Config) error {
	var there []struct{ Index string }
	if err := searchtest.Request(ctx, cfg, http.MethodGet, "/_cat/indices/"+searchtest.Lane(cfg)+"-*?format=json&h=index", "", &there); err != nil {
		return err
	}
	for _, i := range there {
		if err := searchtest.Request(ctx, cfg, http.MethodDelete, "/"+i.Index, "", nil); err != nil {
			return err
		}
	}
	return nil
}

// sorted writes the documents with their fields sorted.
func sorted(documents map[string]string, err error) (map[string]string, error) {
	if err != nil {
		return nil, err
	}
	for id, text := range documents {
		decoder := json.NewDecoder(strings.NewReader("{" + strings.TrimPrefix(text, ",")))
		decoder.UseNumber()
		var fields map[string]any
		if err := decoder.Decode(&fields); err != nil {
			return nil, fmt.Errorf("document %s: %w", id, err)
		}
		encoded, err := json.Marshal(fields)
		if err != nil {
			return nil, err
		}
		documents[id] = string(encoded)
	}
	return documents, nil
}

// newTestOperator returns the pair of the test's route.
func newTestOperator(cfg, source aws.Config, now func() time.Time) (*Operator, error) {
	routes, err := searchtest.Routes(cfg, searchtest.RouteFile)
	if err != nil {
		return nil, err
	}
	source.HTTPClient, source.Retryer = cfg.HTTPClient, cfg.Retryer
	return newOperator(source, searchtest.Connection(cfg), routes[0], now)
}

// reindexedWorld is what a schedule's instances share.
type reindexedWorld struct {
	*simulator.Source
	config, database aws.Config // without faults
	outside          *simulator.Outside
	starts           int // how many changes are written when a reindex may begin
	finished         int // reindexes
}

func newReindexedWorld(cfg, database aws.Config, outside *simulator.Outside, changes []consumertest.Change) *reindexedWorld {
	w := &reindexedWorld{config: cfg, database: database, outside: outside}
	table := dynamodb.NewFromConfig(database)
	w.Source = simulator.NewSource(changes, outside, func(ctx context.Context, _ int, c consumertest.Change) error { return writeSource(ctx, table, c) })
	if len(changes) > 0 {
		w.starts = int(w.Seed%uint32(len(changes))) / 3 // early, so that much is left to come
	}
	return w
}

// writeSource makes a change in the table.
func writeSource(ctx context.Context, table *dynamodb.Client, c consumertest.Change) (err error) {
	if c.New != nil {
		_, err = table.PutItem(ctx, &dynamodb.PutItemInput{TableName: &c.Table, Item: c.New.AttributeValues()})
	} else {
		_, err = table.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &c.Table, Key: c.Keys.AttributeValues()})
	}
	return err
}

// aside makes a call that the schedule doesn't know of.
func (w *reindexedWorld) aside(call *http.Request) (response *http.Response, err error) {
	err = w.outside.Do(func() error {
		return searchtest.Request(context.WithoutCancel(call.Context()), w.config, call.Method, call.URL.Path, "", nil)
	})
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: call}, nil
}

// untilIdle waits until OpenSearch lists no bulk request. It lists one for a moment after it has answered the request, so
// that a replay of a schedule would ask more or less often.
func (w *reindexedWorld) untilIdle(ctx context.Context) error {
	return w.outside.Do(func() error {
		for {
			var listed struct{ Nodes map[string]any }
			err := searchtest.Request(context.WithoutCancel(ctx), w.config, http.MethodGet, "/_tasks?actions=indices:data/write/bulk*", "", &listed)
			if err != nil || len(listed.Nodes) == 0 {
				return err
			}
		}
	})
}

// finish makes the index anew if that hasn't been done yet.
func (w *reindexedWorld) finish(ctx context.Context) error {
	if w.finished > 0 {
		return nil
	}
	clock, err := w.WriteAll(ctx)
	if err != nil {
		return err
	}
	p, err := newTestOperator(w.config, w.database, func() time.Time { return clock })
	if err != nil {
		return err
	}
	p.sleep = func(_ context.Context, d time.Duration) error {
		clock = clock.Add(d)
		return nil
	}
	if _, err := p.Reindex(ctx, ReindexOptions{Segments: 1}); err != nil {
		return err
	}
	w.finished++
	return nil
}

// reindexing is an instance of the function beside which, during some of its batches,
// somebody makes the index anew, until a number of calls has been made.
type reindexing struct {
	*search.Search
	world  *reindexedWorld
	config aws.Config
}

// ApplyBatch applies the batch as the source's clock goes.
func (r *reindexing) ApplyBatch(ctx context.Context, batch []*change.Change) []error {
	return r.world.Deliver(ctx, batch, func(ctx context.Context, part []*change.Change, chance uint32) []error {
		var side sync.WaitGroup
		// Few calls, so that a reindex lasts for many batches.
		if calls := []int{0, 2, 4, 6, 12, 40}[chance%6]; r.world.Written() > r.world.starts && r.world.finished < 2 {
			side.Go(func() { r.reindex(ctx, calls) })
		}
		errs := r.Search.ApplyBatch(ctx, part)
		side.Wait()
		return errs
	})
}

func (r *reindexing) reindex(ctx context.Context, calls int) {
	ctx, kill := context.WithCancel(ctx)
	defer kill()
	cfg := r.config.Copy()
	wire := cfg.HTTPClient
	cfg.HTTPClient = doer(func(call *http.Request) (*http.Response, error) {
		if calls--; calls < 0 {
			kill()
			return nil, context.Canceled
		}
		if err := r.world.Write(ctx); err != nil {
			panic(err)
		}
		if strings.Contains(call.URL.Path, "_search/scroll") {
			return r.world.aside(call) // what it names is another thing in each replay
		}
		if call.URL.Path == "/_tasks" {
			if err := r.world.untilIdle(ctx); err != nil {
				return nil, err
			}
		}
		return wire.Do(call)
	})
	p, err := newTestOperator(cfg, r.world.database, r.world.Now)
	if err != nil {
		panic(err)
	}
	if _, err := p.Reindex(ctx, ReindexOptions{Segments: 1}); err == nil {
		r.world.finished++
	}
}

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }
