package leaderboard

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/shopspring/decimal"

	"sluice/consumers/leaderboard/boards"
	"sluice/deploy/local/servers/servertest"
	"sluice/deploy/local/template"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/gametest"
	"sluice/shared/consumertest/wire"
	"sluice/shared/keeper"
	"sluice/shared/operate"
	"sluice/shared/view"
)

func TestMain(m *testing.M) { servertest.Main(m) }

// world is the consumer's tables, as its template declares them, in a database
// of their own, and what was rejected.
type world struct {
	t       testing.TB
	config  aws.Config
	direct  *dynamodb.Client // no faults
	ledger  string
	letters []consumer.DeadLetter
	metrics bytes.Buffer
	next    int // sequence number of the next record
}

// The templates of the tables of package gametest.
const (
	gameTables = "../../shared/consumertest/gametest/deploy/game.yaml"
	petTables  = "../../shared/consumertest/gametest/deploy/pets.yaml"
)

func newWorld(t testing.TB) *world {
	t.Helper()
	return newWorldIn(t, servertest.DynamoDB(t))
}

// newWorldIn makes the tables in an empty database.
func newWorldIn(t testing.TB, cfg aws.Config) *world {
	t.Helper()
	w := &world{t: t, config: cfg, direct: dynamodb.NewFromConfig(cfg), next: 1}
	parameters := map[string]string{"StreamArn": "arn:aws:kinesis:us-east-1:000000000000:stream/changes"}
	for _, path := range []string{"template.yaml", gameTables, petTables} {
		read, err := template.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		resources, err := read.Resolve(template.Scope{Region: servertest.Region, AccountID: "000000000000", StackName: "test", Parameters: parameters})
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range resources.Tables {
			w.createTable(table)
			if table.LogicalID == "LedgerTable" {
				w.ledger = table.Name
			}
		}
	}
	return w
}

func (w *world) createTable(table template.Table) {
	w.t.Helper()
	if _, err := w.direct.CreateTable(w.t.Context(), &dynamodb.CreateTableInput{
		TableName:              &table.Name,
		BillingMode:            types.BillingModePayPerRequest,
		AttributeDefinitions:   table.Attributes,
		KeySchema:              table.Keys,
		GlobalSecondaryIndexes: table.Indexes,
	}); err != nil {
		w.t.Fatalf("create table %s: %v", table.Name, err)
	}
}

// Keep implements consumer.DeadLetters.
func (w *world) Keep(_ context.Context, letters []consumer.DeadLetter) []error {
	w.letters = append(w.letters, letters...)
	return make([]error, len(letters))
}

// function starts a new instance of the function, whose calls decide lets through.
func (w *world) function(decide func(wire.Call) wire.Fault, changed ...string) *consumer.Handler {
	w.t.Helper()
	return w.handler(w.consumer(decide, changed...))
}

// consumer is what the function runs.
func (w *world) consumer(decide func(wire.Call) wire.Fault, changed ...string) *keeper.Keeper {
	w.t.Helper()
	client := dynamodb.NewFromConfig(w.config, func(o *dynamodb.Options) {
		o.HTTPClient = &http.Client{Transport: &wire.Transport{Decide: decide}}
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		})
	})
	settings := DefaultSettings()
	settings.LedgerTable = w.ledger
	board, err := New(client, gametest.Declarations(changed...), settings)
	if err != nil {
		w.t.Fatal(err)
	}
	board.Now = func() time.Time { return consumertest.Arrival }
	return board
}

// handler runs a consumer as the function does.
func (w *world) handler(c consumer.Consumer) *consumer.Handler {
	handler := consumer.NewHandler("leaderboard", c, w, consumer.Settings{}, slog.New(slog.DiscardHandler), &w.metrics)
	handler.Now = func() time.Time { return consumertest.Arrival }
	return handler
}

// deliver hands the records to the function in batches until it has taken all
// of them, as a mapping does: what it reports as failed comes again.
func (w *world) deliver(f *consumer.Handler, size int, records ...[]byte) {
	w.t.Helper()
	for tries := 0; len(records) > 0; tries++ {
		batch := records[:min(size, len(records))]
		done := w.invoke(f, batch)
		records = records[done:]
		if done > 0 {
			tries = 0
		}
		if tries == 1000 {
			w.t.Errorf("no progress in 1000 deliveries; %d records left", len(records))
			return
		}
	}
}

// invoke delivers one batch and returns how many records are before the first failure.
func (w *world) invoke(f *consumer.Handler, batch [][]byte) int {
	w.t.Helper()
	return w.invokeIn(w.t.Context(), f, batch)
}

func (w *world) invokeIn(ctx context.Context, f *consumer.Handler, batch [][]byte) int {
	w.t.Helper()
	answer, err := f.Invoke(ctx, consumertest.Payload(w.next, batch...))
	if err != nil {
		w.t.Error(err)
	}
	for done := range batch {
		if bytes.Contains(answer, []byte(consumertest.SequenceNumber(w.next+done))) {
			w.next += done
			return done
		}
	}
	w.next += len(batch)
	return len(batch)
}

// board reads the totals.
func (w *world) board() *boards.Board { return w.boardOf("leaderboard") }

// boardOf reads a view.
func (w *world) boardOf(name string) *boards.Board {
	w.t.Helper()
	b, err := boards.New(w.direct, w.views(), name)
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

// totals returns each player's total.
func (w *world) totals() map[string]decimal.Decimal {
	w.t.Helper()
	entries, err := w.board().All(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	totals := map[string]decimal.Decimal{}
	for _, e := range entries {
		totals[e.Name] = e.Number
	}
	return totals
}

// views are those that the consumer keeps.
func (w *world) views() []*view.View {
	views, err := Views(gametest.Declarations())
	if err != nil {
		w.t.Fatal(err)
	}
	return views
}

// wantTotals checks the totals, and the day's and week's, since all events of
// these tests are of one day.
func (w *world) wantTotals(want map[string]int) {
	w.t.Helper()
	boxes := 0
	w.each(gametest.BoxTable, func(item operate.Item) {
		boxes++
		user, board := change.TextOf(item[gametest.AttrUser]), change.TextOf(item[gametest.AttrBoard])
		score, err := boards.Number(item, gametest.AttrScore)
		if board != "daily#2026-01-02" && board != "weekly#2026-W01" || err != nil || !score.Equal(decimal.NewFromInt(int64(want[user]))) {
			w.t.Errorf("%s of %s is %s (%v), want %d on that day and in that week", board, user, score, err, want[user])
		}
	})
	got := w.totals()
	for user, total := range got {
		if !total.Equal(decimal.NewFromInt(int64(want[user]))) {
			w.t.Errorf("total of %s is %s, want %d", user, total, want[user])
		}
	}
	for user, total := range want {
		if _, ok := got[user]; !ok && total != 0 {
			w.t.Errorf("%s is not on the board, want %d", user, total)
		}
	}
	if boxes != 2*len(got) {
		w.t.Errorf("%d players have %d days and weeks, want two each", len(got), boxes)
	}
}

// event is one state of one item of the score table.
func event(user string, turn int, score string) (key, image consumertest.Item) {
	key = consumertest.Item{gametest.AttrUser: consumertest.S(user), gametest.AttrTimestamp: consumertest.S(fmt.Sprintf("2026-01-02 03:04:05.%06d", turn))}
	image = consumertest.Item{gametest.AttrUser: key[gametest.AttrUser], gametest.AttrTimestamp: key[gametest.AttrTimestamp], gametest.AttrScore: consumertest.N(score)}
	return key, image
}

// at is n µs after some moment before the tests' present.
func at(n int) time.Time {
	return consumertest.Arrival.Add(-time.Minute + time.Duration(n)*time.Microsecond)
}

func insert(user string, turn int, score string) []byte {
	key, image := event(user, turn, score)
	return consumertest.Change{Table: gametest.ScoreTable, Time: at(turn), Keys: key, New: image}.Record()
}

func modify(user string, turn, later int, before, after string) []byte {
	key, old := event(user, turn, before)
	_, image := event(user, turn, after)
	return consumertest.Change{Table: gametest.ScoreTable, Time: at(turn + later), Keys: key, Old: old, New: image}.Record()
}

func remove(user string, turn, later int, before string, ttl bool) []byte {
	key, old := event(user, turn, before)
	return consumertest.Change{Table: gametest.ScoreTable, Time: at(turn + later), Keys: key, Old: old, TTL: ttl}.Record()
}

// item reads the item with a key of names and values.
func (w *world) item(table string, key ...string) map[string]types.AttributeValue {
	w.t.Helper()
	keys := map[string]types.AttributeValue{}
	for i := 0; i < len(key); i += 2 {
		keys[key[i]] = &types.AttributeValueMemberS{Value: key[i+1]}
		if key[i] == gametest.AttrBucket {
			keys[key[i]] = &types.AttributeValueMemberN{Value: key[i+1]}
		}
	}
	out, err := w.direct.GetItem(w.t.Context(), &dynamodb.GetItemInput{TableName: &table, Key: keys, ConsistentRead: aws.Bool(true)})
	if err != nil {
		w.t.Fatal(err)
	}
	return out.Item
}
