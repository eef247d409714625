package replication

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/consumers/replication/internal/lastwriter"
	"sluice/consumers/replication/internal/ranked"
	"sluice/consumers/replication/internal/store"
	"sluice/consumers/replication/mark"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/gametest"
	"sluice/shared/consumertest/wire"
)

// world is a database with nothing in it but the tombstones of both regions.
type world struct {
	t      *testing.T
	config aws.Config
	fault  func(wire.Call) wire.Fault
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, config: servertest.DynamoDB(t)}
	for _, region := range []string{servertest.Region, away} {
		w.create(region, tableOf(DefaultTombstoneTable, store.TombstoneKey, "B"))
	}
	return w
}

func (w *world) client(region string) *dynamodb.Client {
	return dynamodb.NewFromConfig(inRegion(w.config, region))
}

func (w *world) create(region string, table *dynamodb.CreateTableInput) {
	w.t.Helper()
	if _, err := w.client(region).CreateTable(w.t.Context(), table); err != nil {
		w.t.Fatalf("create table %s in %s: %v", *table.TableName, region, err)
	}
}

// consumer serves the routes of a file; its calls pass w.fault.
func (w *world) consumer(routes string) *Replication {
	w.t.Helper()
	cfg := w.config.Copy()
	cfg.HTTPClient = &http.Client{Transport: &wire.Transport{Decide: w.fault}}
	settings := DefaultSettings()
	read, err := Routes(gametest.With(ReplicasFile, "test.yaml", routes), cfg.Region)
	if err != nil {
		w.t.Fatal(err)
	}
	return NewOf(cfg, settings, read, func() time.Time { return consumertest.Arrival })
}

// insert is a change of an item with the key Id, n µs after an hour before Arrival.
func insert(t *testing.T, table, id string, n int, attributes consumertest.Item) *change.Change {
	t.Helper()
	image := consumertest.Item{"Id": consumertest.S(id)}
	for name, v := range attributes {
		image[name] = v
	}
	c, err := change.Parse(consumertest.Change{
		Table: table, Time: consumertest.Arrival.Add(-time.Hour + time.Duration(n)*time.Microsecond),
		Keys: consumertest.Item{"Id": consumertest.S(id)}, New: image,
	}.Record())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// removal is insert for a change that removes the item.
func removal(t *testing.T, table, id string, n int) *change.Change {
	t.Helper()
	key := consumertest.Item{"Id": consumertest.S(id)}
	c, err := change.Parse(consumertest.Change{
		Table: table, Time: consumertest.Arrival.Add(-time.Hour + time.Duration(n)*time.Microsecond), Keys: key, Old: key,
	}.Record())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// get reads one item of a copy, nil if it isn't there.
func (w *world) get(region, table, id string) store.Item {
	w.t.Helper()
	out, err := w.client(region).GetItem(w.t.Context(), &dynamodb.GetItemInput{
		TableName: &table, Key: store.Item{"Id": &types.AttributeValueMemberS{Value: id}}, ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return out.Item
}

func wantOutcomes(t *testing.T, errs []error, want ...consumer.Outcome) {
	t.Helper()
	for i, err := range errs {
		if got := consumer.OutcomeOf(err); got != want[i] {
			t.Errorf("change %d: %v (%v), want %v", i+1, got, err, want[i])
		}
	}
}

const toTwo = `replicas:
  - name: whole
    from: {table: Orders}
    into: {table: Orders, region: eu-west-1}
  - name: open
    from: {table: Orders, where: {state: open}}
    into: {table: OpenOrders, region: us-east-1}
    leaveOut: [card]
    mask: [email]
`

// One change at two destinations, each with what it takes. Fails if what leaves is
// decided for all at once.
func TestSeveralDestinations(t *testing.T) {
	w := newWorld(t)
	w.create(away, tableOf("Orders", "Id", "S"))
	w.create(servertest.Region, tableOf("OpenOrders", "Id", "S"))
	order := consumertest.Item{"state": consumertest.S("open"), "card": consumertest.N("4111"), "email": consumertest.S("a@b")}
	done := consumertest.Item{"state": consumertest.S("done"), "card": consumertest.N("4111")}
	errs := w.consumer(toTwo).ApplyBatch(t.Context(), []*change.Change{
		insert(t, "Orders", "1", 1, order), insert(t, "Orders", "2", 2, done), insert(t, "Else", "3", 3, nil),
	})
	wantOutcomes(t, errs, consumer.Applied, consumer.Applied, consumer.Skip)
	if got := w.get(away, "Orders", "1"); textOf(got["card"]) != "4111e0" || textOf(got["email"]) != `"a@b"` {
		t.Errorf("the whole copy holds %v", got)
	}
	if got := w.get(servertest.Region, "OpenOrders", "1"); got["card"] != nil || textOf(got["email"]) != `"***"` {
		t.Errorf("the open copy holds %v", got)
	}
	if got := w.get(servertest.Region, "OpenOrders", "2"); got != nil {
		t.Errorf("the open copy holds what isn't open: %v", got)
	}
}

// Of several changes of an item only the newest is written, and the one before it
// only if the newest can never be. Fails if an item too large brings down the
// change before it, too.
func TestNewestOfABatch(t *testing.T) {
	w := newWorld(t)
	w.create(away, tableOf("Copy", "Id", "S"))
	writes := 0
	w.fault = func(c wire.Call) wire.Fault {
		if c.Operation == "PutItem" {
			writes++
		}
		return wire.None
	}
	r := w.consumer(strings.ReplaceAll(shippedRoute, "Source", "Orders"))
	text := func(s string) consumertest.Item { return consumertest.Item{"text": consumertest.S(s)} }
	errs := r.ApplyBatch(t.Context(), []*change.Change{
		insert(t, "Orders", "1", 2, text("b")), insert(t, "Orders", "1", 3, text("c")), insert(t, "Orders", "1", 1, text("a")), insert(t, "Orders", "1", 3, text("c")),
	})
	wantOutcomes(t, errs, consumer.Stale, consumer.Applied, consumer.Stale, consumer.Duplicate)
	if writes != 1 {
		t.Errorf("%d writes for one item, want 1", writes)
	}
	errs = r.ApplyBatch(t.Context(), []*change.Change{
		insert(t, "Orders", "1", 4, text("d")), insert(t, "Orders", "1", 5, text(strings.Repeat("x", store.MaxItemBytes))),
	})
	wantOutcomes(t, errs, consumer.Applied, consumer.Rejected)
	if got := w.get(away, "Copy", "1"); textOf(got["text"]) != `"d"` {
		t.Errorf("the copy holds %v", got)
	}
}

// A function wrote an item that was removed later, and died before it looked for
// the tombstone; its change comes again beside a newer one that is too old as
// well. Fails if the newer one, which finds an older item, looks for no tombstone.
func TestPassedOver(t *testing.T) {
	w := newWorld(t)
	w.create(away, tableOf("Copy", "Id", "S"))
	routes := strings.ReplaceAll(shippedRoute, "Source", "Orders")
	sound := w.consumer(routes)
	w.fault = func(c wire.Call) wire.Fault {
		if c.Operation == "GetItem" {
			return wire.Crash
		}
		return wire.None
	}
	dying := w.consumer(routes)
	older, newer := insert(t, "Orders", "1", 1, nil), insert(t, "Orders", "1", 2, nil)
	wantOutcomes(t, sound.ApplyBatch(t.Context(), []*change.Change{removal(t, "Orders", "1", 3)}), consumer.Applied)
	wantOutcomes(t, dying.ApplyBatch(t.Context(), []*change.Change{older}), consumer.Retry)
	wantOutcomes(t, sound.ApplyBatch(t.Context(), []*change.Change{older, newer}), consumer.Stale, consumer.Stale)
	if got := w.get(away, "Copy", "1"); got != nil {
		t.Errorf("the copy holds %v, which was removed", got)
	}
}

// Two changes of an item at one time, in one batch and in two. Fails if the order
// decides which stays, or a tie isn't counted.
func TestTies(t *testing.T) {
	w := newWorld(t)
	w.create(away, tableOf("Copy", "Id", "S"))
	r := w.consumer(strings.ReplaceAll(shippedRoute, "Source", "Orders"))
	tied := func(id string) (a, b *change.Change) {
		return insert(t, "Orders", id, 1, consumertest.Item{"text": consumertest.S("a")}), insert(t, "Orders", id, 1, consumertest.Item{"text": consumertest.S("b")})
	}
	for id, batches := range map[string]func(a, b *change.Change) [][]*change.Change{
		"x": func(a, b *change.Change) [][]*change.Change { return [][]*change.Change{{a, b}} },
		"y": func(a, b *change.Change) [][]*change.Change { return [][]*change.Change{{a}, {b}} },
		"z": func(a, b *change.Change) [][]*change.Change { return [][]*change.Change{{b}, {a}} },
	} {
		a, b := tied(id)
		for _, batch := range batches(a, b) {
			r.ApplyBatch(t.Context(), batch)
		}
		want := `"a"`
		if mark.Of(b, servertest.Region) > mark.Of(a, servertest.Region) {
			want = `"b"`
		}
		if got := textOf(w.get(away, "Copy", id)["text"]); got != want {
			t.Errorf("%s: the order decides which change stays: %s, want %s", id, got, want)
		}
		if got := r.Metrics()["Ties"]; got != 1 {
			t.Errorf("%s: %d ties counted, want 1", id, got)
		}
	}
}

// Fails if a destination that isn't there, or has other keys, makes dead letters,
// or if the error leaves out one of the schemas; and if it isn't looked at again.
func TestDestinationThatDoesNotFit(t *testing.T) {
	w := newWorld(t)
	r := w.consumer(strings.ReplaceAll(shippedRoute, "Source", "Orders"))
	batch := []*change.Change{insert(t, "Orders", "1", 1, nil)}
	apply := func(wants ...string) {
		t.Helper()
		errs := r.ApplyBatch(t.Context(), batch)
		wantOutcomes(t, errs, consumer.Retry)
		for _, want := range wants {
			if errs[0] != nil && !strings.Contains(errs[0].Error(), want) {
				t.Errorf("the error doesn't say %q: %v", want, errs[0])
			}
		}
	}
	apply("table Orders, Id (S)", "table Copy (eu-west-1) does not exist")
	w.create(away, tableOf("Copy", "id", "N", "at", "S"))
	apply("table Copy (eu-west-1) has the keys at (S), id (N), but table Orders has Id (S)")
	if _, err := w.client(away).DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: aws.String("Copy")}); err != nil {
		t.Fatal(err)
	}
	w.create(away, tableOf("Copy", "Id", "S"))
	wantOutcomes(t, r.ApplyBatch(t.Context(), batch), consumer.Applied)
}

// The region of the copy can't be reached for ten minutes, in which more changes
// come, each of which is delivered again and again. Fails if one of them is lost,
// becomes a dead letter, or isn't in the copy once the region is back.
func TestRegionDown(t *testing.T) {
	const outage, again = 10 * time.Minute, 30 * time.Second
	w := newWorld(t)
	w.create(away, tableOf("Copy", "Id", "S"))
	var down atomic.Bool
	w.fault = func(wire.Call) wire.Fault {
		if down.Load() {
			return wire.LostRequest
		}
		return wire.None
	}
	now := consumertest.Arrival
	letters := &letters{}
	h := consumer.NewHandler("replication", w.consumer(strings.ReplaceAll(shippedRoute, "Source", "Orders")), letters, consumer.Settings{}, slog.New(slog.DiscardHandler), io.Discard)
	h.Now = func() time.Time { return now }
	var records [][]byte
	deliver := func() string {
		t.Helper()
		key := consumertest.Item{"Id": consumertest.S(fmt.Sprint(len(records)))}
		records = append(records, consumertest.Change{Table: "Orders", Time: now, Keys: key, New: key}.Record())
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond) // the SDK would try for longer
		if !down.Load() {
			ctx, cancel = context.WithCancel(t.Context())
		}
		defer cancel()
		answer, err := h.Invoke(ctx, consumertest.Payload(1, records...))
		if err != nil {
			t.Fatal(err)
		}
		return string(answer)
	}
	if answer := deliver(); strings.Contains(answer, "itemIdentifier") {
		t.Fatalf("before the outage: %s", answer)
	}
	down.Store(true)
	for range outage / again {
		now = now.Add(again)
		if answer := deliver(); !strings.Contains(answer, "itemIdentifier") {
			t.Fatalf("%v after the outage began: done with %s", now.Sub(consumertest.Arrival), answer)
		}
	}
	down.Store(false)
	if answer := deliver(); strings.Contains(answer, "itemIdentifier") {
		t.Errorf("after the outage: %s", answer)
	}
	for id := range records {
		if w.get(away, "Copy", fmt.Sprint(id)) == nil {
			t.Errorf("change %d of %d is lost", id+1, len(records))
		}
	}
	if len(*letters) > 0 {
		t.Errorf("%d dead letters, the first: %s", len(*letters), (*letters)[0].Error)
	}
}

// letters are the dead letters that a handler kept.
type letters []consumer.DeadLetter

// Keep implements consumer.DeadLetters.
func (l *letters) Keep(_ context.Context, kept []consumer.DeadLetter) []error {
	*l = append(*l, kept...)
	return make([]error, len(kept))
}

// The consumer's own metric stands in the handler's line.
func TestMetricsLine(t *testing.T) {
	w := newWorld(t)
	w.create(away, tableOf("Copy", "Id", "S"))
	var metrics strings.Builder
	h := consumer.NewHandler("replication", w.consumer(shippedRoute), nil, consumer.Settings{}, slog.New(slog.DiscardHandler), &metrics)
	key := consumertest.Item{"Id": consumertest.S("1")}
	record := consumertest.Change{Table: "Source", Time: consumertest.Arrival, Keys: key, New: key}.Record()
	if _, err := h.Invoke(t.Context(), consumertest.Payload(1, record)); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(metrics.String(), `"Applied":1`) || !strings.Contains(metrics.String(), `"Ties":0`) {
		t.Errorf("the line is %s", metrics.String())
	}
}

// logChange is the insert of one request into the log's table.
func logChange(t *testing.T, request, host string) *change.Change {
	t.Helper()
	key := consumertest.Item{"PK": consumertest.S("request#" + request)}
	c, err := change.Parse(consumertest.Change{
		Table: "logfile", Time: time.Now(), Keys: key,
		New: consumertest.Item{
			"PK": key["PK"], "GSI_1_PK": consumertest.S("host#" + host), "requestid": consumertest.N(request),
			"host": consumertest.S(host), "bytessent": consumertest.N("8324"), "url": consumertest.S("/gallery"),
		},
	}.Record())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A removal may lack its old image. Fails if a copy stays, although nobody can tell whether the item
// matched the route's filter; or if a table of several regions guesses who removed it.
func TestRemovalWithoutOldImage(t *testing.T) {
	w := newWorld(t)
	w.create(away, tableOf("Orders", "Id", "S"))
	w.create(servertest.Region, tableOf("OpenOrders", "Id", "S"))
	r := w.consumer(toTwo)
	bare, err := change.Parse(consumertest.Change{
		Table: "Orders", Time: consumertest.Arrival.Add(-time.Minute), Keys: consumertest.Item{"Id": consumertest.S("a")},
	}.Record())
	if err != nil {
		t.Fatal(err)
	}
	wantOutcomes(t, r.ApplyBatch(t.Context(), []*change.Change{
		insert(t, "Orders", "a", 1, consumertest.Item{"state": consumertest.S("open")}),
	}), consumer.Applied)
	wantOutcomes(t, r.ApplyBatch(t.Context(), []*change.Change{bare}), consumer.Applied)
	if item := w.get(away, "Orders", "a"); item != nil {
		t.Errorf("the whole copy holds %v", item)
	}
	if item := w.get(servertest.Region, "OpenOrders", "a"); item != nil {
		t.Errorf("the filtered copy holds %v", item)
	}
	if _, err := lastwriter.NewEdit(bare, "us-east-1", 1); consumer.OutcomeOf(err) != consumer.Rejected {
		t.Errorf("a table of two regions: %v", err)
	}
	if _, err := ranked.NewChange(bare, "rank"); consumer.OutcomeOf(err) != consumer.Rejected {
		t.Errorf("a ranked table: %v", err)
	}
}
