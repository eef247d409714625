package leaderboard

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/gametest"
	"sluice/shared/consumertest/simulator"
	"sluice/shared/keeper"
	"sluice/shared/rebuild"
	"sluice/shared/view"
)

// TestSimulatorRebuild rebuilds the board of totals, and breaks it before, while the
// changes come as the stream may deliver them: the tool's calls go with those of
// the function, as the schedule lets them, and the tool is killed at any of them, and at times
// somebody gives the rebuild up.
func TestSimulatorRebuild(t *testing.T) {
	s := rebuiltSuite(t, "leaderboard")
	s.Schedules = 40
	simulator.Run(t, s)
}

// TestSimulatorRebuildBoxes is TestSimulatorRebuild for the board of days.
func TestSimulatorRebuildBoxes(t *testing.T) {
	s := rebuiltSuite(t, "daily")
	s.Schedules = 15
	simulator.Run(t, s)
}

// rebuiltSuite is the simulation of one view that is rebuilt meanwhile.
func rebuiltSuite(t *testing.T, name string) simulator.Suite {
	s := simulation(name)
	s.Workload.Burst = 12         // what matters is the order of things, not spills
	var worlds, outsides sync.Map // by access key: each worker's database is one
	of := func(cfg aws.Config) *rebuiltWorld {
		key, err := cfg.Credentials.Retrieve(context.Background())
		if err != nil {
			panic(err)
		}
		w, _ := worlds.Load(key.AccessKeyID)
		return w.(*rebuiltWorld)
	}
	s.Setup = func(ctx context.Context, cfg aws.Config) error {
		if err := createTables(ctx, cfg, "template.yaml", gameTables); err != nil {
			return err
		}
		return simulator.Recreate(ctx, cfg, &dynamodb.CreateTableInput{
			TableName: aws.String(gametest.ScoreTable), BillingMode: types.BillingModePayPerRequest,
			AttributeDefinitions: []types.AttributeDefinition{
				{AttributeName: aws.String(gametest.AttrUser), AttributeType: types.ScalarAttributeTypeS},
				{AttributeName: aws.String(gametest.AttrTimestamp), AttributeType: types.ScalarAttributeTypeS},
			},
			KeySchema: []types.KeySchemaElement{
				{AttributeName: aws.String(gametest.AttrUser), KeyType: types.KeyTypeHash},
				{AttributeName: aws.String(gametest.AttrTimestamp), KeyType: types.KeyTypeRange},
			},
		})
	}
	s.Begin = func(ctx context.Context, cfg aws.Config, changes []consumertest.Change) error {
		key, err := cfg.Credentials.Retrieve(ctx)
		if err != nil {
			return err
		}
		outside, found := outsides.Load(key.AccessKeyID)
		if !found {
			outside = simulator.NewOutside(t)
			outsides.Store(key.AccessKeyID, outside)
		}
		w := newRebuiltWorld(cfg, name, outside.(*simulator.Outside), changes)
		worlds.Store(key.AccessKeyID, w)
		return nil
	}
	s.New = func(cfg aws.Config) (consumer.Consumer, error) {
		settings := rebuiltSettings()
		v, err := View(gametest.Declarations(), name)
		if err != nil {
			return nil, err
		}
		w := of(cfg)
		board := keeper.New(dynamodb.NewFromConfig(cfg), []*view.View{v}, settings.LedgerTable, settings.Horizon)
		board.Now = w.Now
		return &rebuilding{Keeper: board, world: w, config: cfg, view: v}, nil
	}
	s.Read = func(ctx context.Context, cfg aws.Config) (map[string]string, error) {
		if err := of(cfg).finish(ctx); err != nil {
			return nil, err
		}
		return readBoards(ctx, cfg)
	}
	return s
}

func rebuiltSettings() Settings {
	s := DefaultSettings()
	s.LedgerTable = simulatedLedger
	return s
}

// rebuiltWorld is what a schedule's instances share.
type rebuiltWorld struct {
	*simulator.Source
	direct   *dynamodb.Client
	view     string
	table    string
	breaks   int // how many changes are written when the board is broken
	starts   int // and when a rebuild may begin
	rebuilds int
}

func newRebuiltWorld(cfg aws.Config, name string, outside *simulator.Outside, changes []consumertest.Change) *rebuiltWorld {
	w := &rebuiltWorld{direct: dynamodb.NewFromConfig(cfg), view: name, table: gametest.BoardTable}
	if name != "leaderboard" {
		w.table = gametest.BoxTable
	}
	w.Source = simulator.NewSource(changes, outside, w.write)
	if len(changes) > 0 {
		w.breaks = int(w.Seed%uint32(len(changes))) / 4 // early, so that much is left to come
		w.starts = w.breaks + int(w.Seed>>16)%(len(changes)-w.breaks)/4
	}
	return w
}

func (w *rebuiltWorld) write(ctx context.Context, n int, c consumertest.Change) (err error) {
	if n == w.breaks {
		if err := w.breakBoard(ctx); err != nil {
			return err
		}
	}
	if c.New != nil {
		_, err = w.direct.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(gametest.ScoreTable), Item: c.New.AttributeValues()})
	} else {
		_, err = w.direct.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String(gametest.ScoreTable), Key: c.Keys.AttributeValues()})
	}
	return err
}

// breakBoard makes every score wrong, and adds a player who never played.
func (w *rebuiltWorld) breakBoard(ctx context.Context) error {
	out, err := w.direct.Scan(ctx, &dynamodb.ScanInput{TableName: &w.table})
	if err != nil {
		return err
	}
	ghost := map[string]types.AttributeValue{gametest.AttrUser: &types.AttributeValueMemberS{Value: "ghost"}}
	if w.table == gametest.BoxTable {
		ghost[gametest.AttrBoard] = &types.AttributeValueMemberS{Value: "daily#2026-01-01"}
	}
	for _, item := range append(out.Items, ghost) {
		key := map[string]types.AttributeValue{gametest.AttrUser: item[gametest.AttrUser]}
		if board := item[gametest.AttrBoard]; board != nil {
			key[gametest.AttrBoard] = board
		}
		_, err := w.direct.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: &w.table, Key: key, UpdateExpression: aws.String("SET Score = :n"),
			ExpressionAttributeValues: map[string]types.AttributeValue{":n": &types.AttributeValueMemberN{Value: "77"}},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// finish rebuilds the board if no rebuild has been done yet.
func (w *rebuiltWorld) finish(ctx context.Context) error {
	if w.rebuilds > 0 {
		return nil
	}
	v, err := View(gametest.Declarations(), w.view)
	if err != nil {
		return err
	}
	clock, err := w.WriteAll(ctx)
	if err != nil {
		return err
	}
	tool := w.tool(w.direct, v)
	tool.Now = func() time.Time { return clock }
	tool.Sleep = func(_ context.Context, d time.Duration) error {
		clock = clock.Add(d)
		return nil
	}
	if _, err := tool.Run(ctx); err != nil {
		return err
	}
	w.rebuilds++
	return nil
}

func (w *rebuiltWorld) tool(client *dynamodb.Client, v *view.View) *rebuild.Tool {
	return &rebuild.Tool{
		Client: client, View: v, Ledger: simulatedLedger, Horizon: DefaultHorizon, Now: w.Now,
		Clocks: time.Second, Announcing: 20 * time.Second, Segments: 1, Limit: 24 * time.Hour,
	}
}

// rebuilding is an instance of the function beside which, during some of its
// batches, somebody rebuilds the view, until a number of calls has been made.
type rebuilding struct {
	*keeper.Keeper
	world  *rebuiltWorld
	config aws.Config
	view   *view.View
}

// ApplyBatch applies the batch as the source's clock goes.
func (r *rebuilding) ApplyBatch(ctx context.Context, batch []*change.Change) []error {
	return r.world.Deliver(ctx, batch, func(ctx context.Context, part []*change.Change, chance uint32) []error {
		var side sync.WaitGroup
		// Few calls, so that a rebuild lasts for many batches.
		if calls := []int{0, 2, 4, 6, 12, 30}[chance%6]; r.world.Written() > r.world.starts && r.world.rebuilds < 2 {
			side.Go(func() { r.rebuild(ctx, calls, chance/6%5 == 0) })
		}
		errs := r.Keeper.ApplyBatch(ctx, part)
		side.Wait()
		return errs
	})
}

// rebuild runs the tool for so many calls, to rebuild the view or to give its rebuild up.
func (r *rebuilding) rebuild(ctx context.Context, calls int, abort bool) {
	ctx, kill := context.WithCancel(ctx)
	defer kill()
	cfg := r.config.Copy()
	wire := cfg.HTTPClient
	cfg.HTTPClient = doer(func(request *http.Request) (*http.Response, error) {
		if calls--; calls < 0 {
			kill()
			return nil, context.Canceled
		}
		if err := r.world.Write(ctx); err != nil {
			panic(err)
		}
		return wire.Do(marked(request))
	})
	tool := r.world.tool(dynamodb.NewFromConfig(cfg), r.view)
	if abort {
		_, _ = tool.Abort(ctx) // often there is none, or the time is over
		return
	}
	if _, err := tool.Run(ctx); err == nil {
		r.world.rebuilds++
	}
}

// marked makes a call of the tool another one than the function's that asks for the
// same, so that their order at the gate doesn't depend on which came first.
func marked(request *http.Request) *http.Request {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		panic(err)
	}
	if !strings.HasSuffix(request.Header.Get("X-Amz-Target"), "DescribeTable") {
		body = append([]byte(`{"ReturnConsumedCapacity":"NONE",`), body[1:]...)
	}
	copied := request.Clone(request.Context())
	copied.Body, copied.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	copied.Header.Del("Content-Length")
	return copied
}

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }
