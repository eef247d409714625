package aggregate

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/shopspring/decimal"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumer"
	"sluice/shared/consumertest/proof"
	"sluice/shared/consumertest/wire"
)

func TestMain(m *testing.M) { servertest.Main(m) }

// epoch is the tests' present.
var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

const horizon = 384 * time.Hour

// world is a pair of tables in a database of its own.
type world struct {
	t      *testing.T
	config aws.Config
	direct *dynamodb.Client // without faults
}

func newWorld(t *testing.T) *world {
	t.Helper()
	cfg := servertest.DynamoDB(t)
	w := &world{t: t, config: cfg, direct: dynamodb.NewFromConfig(cfg)}
	servertest.CreateTable(t, w.direct, "sums", "Name")
	servertest.CreateTable(t, w.direct, "ledger", attrGroup, attrEntry)
	return w
}

// table returns a Table whose calls decide lets through; nil: all of them.
func (w *world) table(decide func(wire.Call) wire.Fault) (*Table, *wire.Transport) {
	transport := &wire.Transport{Decide: decide}
	client := dynamodb.NewFromConfig(w.config, func(o *dynamodb.Options) {
		o.HTTPClient = &http.Client{Transport: transport}
		o.Retryer = fastRetryer()
	})
	return &Table{Client: client, Name: "sums", Ledger: "ledger", Horizon: horizon, Now: func() time.Time { return epoch }}, transport
}

func add(ctx context.Context, table *Table, target Target, amounts []Amount) []error {
	_, errs := table.Add(ctx, target, amounts)
	return errs
}

func target(name string) Target {
	return Target{
		Key:   map[string]types.AttributeValue{"Name": &types.AttributeValueMemberS{Value: name}},
		Group: name,
		Set:   map[string]types.AttributeValue{"Kind": &types.AttributeValueMemberS{Value: "test"}},
	}
}

// amount is a change made n µs before the tests' present less an hour.
func amount(n int, value string) Amount {
	var a Amount
	var created [8]byte
	binary.BigEndian.PutUint64(created[:], uint64(epoch.Add(-time.Hour).UnixMicro()+int64(n)))
	copy(a.ID[:7], created[1:])
	a.ID[11] = byte(n) // stands for the hash
	a.Add = map[string]decimal.Decimal{"Sum": decimal.RequireFromString(value)}
	return a
}

func amounts(from, to int) []Amount {
	var list []Amount
	for n := from; n < to; n++ {
		list = append(list, amount(n, fmt.Sprint(n%10)))
	}
	return list
}

func total(list []Amount) decimal.Decimal {
	var sum decimal.Decimal
	for _, a := range list {
		sum = sum.Add(a.Add["Sum"])
	}
	return sum
}

func (w *world) wantSum(name string, want decimal.Decimal) {
	w.t.Helper()
	out, err := w.direct.GetItem(w.t.Context(), &dynamodb.GetItemInput{
		TableName: aws.String("sums"), Key: target(name).Key, ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if n := len(readState(out.Item).ids); n > Capacity {
		w.t.Errorf("%q remembers %d ids, more than %d: it outgrows its write unit", name, n, Capacity)
	}
	var got decimal.Decimal
	if n, ok := out.Item["Sum"].(*types.AttributeValueMemberN); ok {
		got = decimal.RequireFromString(n.Value)
	}
	if !got.Equal(want) {
		w.t.Errorf("sum of %q is %s, want %s", name, got, want)
	}
}

func outcomesOf(errs []error) (counts [int(consumer.Rejected) + 1]int) {
	for _, err := range errs {
		counts[consumer.OutcomeOf(err)]++
	}
	return counts
}

func wantOutcomes(t *testing.T, errs []error, applied, duplicate, rejected int) {
	t.Helper()
	got := outcomesOf(errs)
	if got[consumer.Applied] != applied || got[consumer.Duplicate] != duplicate || got[consumer.Rejected] != rejected {
		t.Errorf("got %d applied, %d duplicate, %d rejected, %d to retry; want %d, %d, %d, 0\nfirst errors: %v",
			got[consumer.Applied], got[consumer.Duplicate], got[consumer.Rejected], got[consumer.Retry], applied, duplicate, rejected, errors.Join(errs...))
	}
}

func TestAddOnce(t *testing.T) {
	w := newWorld(t)
	table, calls := w.table(nil)
	list := amounts(0, 10)
	wantOutcomes(t, add(t.Context(), table, target("a"), list), 10, 0, 0)
	w.wantSum("a", total(list))
	if calls.Calls() != 1 {
		t.Errorf("10 amounts of one group took %d calls, want 1", calls.Calls())
	}
	wantOutcomes(t, add(t.Context(), table, target("a"), list), 0, 10, 0)
	w.wantSum("a", total(list))
}

func TestAddMixOfNewAndTaken(t *testing.T) {
	w := newWorld(t)
	table, _ := w.table(nil)
	add(t.Context(), table, target("a"), amounts(0, 10))
	wantOutcomes(t, add(t.Context(), table, target("a"), amounts(5, 15)), 5, 5, 0)
	w.wantSum("a", total(amounts(0, 15)))
}

func TestAddRepeatedInOneCall(t *testing.T) {
	w := newWorld(t)
	table, calls := w.table(nil)
	list := append(amounts(0, 5), amounts(0, 5)...)
	wantOutcomes(t, add(t.Context(), table, target("a"), list), 5, 5, 0)
	w.wantSum("a", total(amounts(0, 5)))
	if calls.Calls() != 1 { // the engine refuses a set with repeats, and they'd go one by one
		t.Errorf("5 amounts that are repeated took %d calls, want 1", calls.Calls())
	}
}

// Many more amounts than an item remembers, oldest first, newest first and
// with many at the same time: each in the sum once, and again after a replay.
func TestAddBeyondCapacity(t *testing.T) {
	n := proof.Size(5, 2)*Capacity + 7
	inOrder := amounts(0, n)
	backwards := make([]Amount, n)
	tied := make([]Amount, n)
	for i, a := range inOrder {
		backwards[n-1-i] = a
		tied[i] = amount(i/100, "1")
		tied[i].ID[10], tied[i].ID[11] = byte(i>>8), byte(i)
	}
	for name, list := range map[string][]Amount{"in order": inOrder, "backwards": backwards, "tied": tied} {
		for _, size := range []int{1, 30, n} {
			t.Run(fmt.Sprintf("%s/%d a call", name, size), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				table, _ := w.table(nil)
				for round, want := range []struct{ applied, duplicate int }{{n, 0}, {0, n}} {
					var errs []error
					for at := 0; at < n; at += size {
						errs = append(errs, add(t.Context(), table, target("a"), list[at:min(n, at+size)])...)
					}
					t.Logf("round %d", round)
					wantOutcomes(t, errs, want.applied, want.duplicate, 0)
					w.wantSum("a", total(list))
				}
			})
		}
	}
}

func TestAddExactDecimals(t *testing.T) {
	w := newWorld(t)
	table, _ := w.table(nil)
	big, tiny := "99999999999999999999999999999999999998", "0.00000000000000000000000000000000000001"
	wantOutcomes(t, add(t.Context(), table, target("big"), []Amount{amount(1, big), amount(2, "1")}), 2, 0, 0)
	w.wantSum("big", decimal.RequireFromString("99999999999999999999999999999999999999"))
	wantOutcomes(t, add(t.Context(), table, target("tiny"), []Amount{amount(1, tiny), amount(2, "-"+tiny), amount(3, tiny)}), 3, 0, 0)
	w.wantSum("tiny", decimal.RequireFromString(tiny))
}

// An amount that would push the sum beyond 38 digits is refused; its company is added.
func TestAddRefusesWhatDynamoDBCannotHold(t *testing.T) {
	w := newWorld(t)
	table, _ := w.table(nil)
	list := amounts(0, 20)
	list[13].Add["Sum"] = decimal.RequireFromString("1e120")
	errs := add(t.Context(), table, target("a"), list)
	wantOutcomes(t, errs, 19, 0, 1)
	if consumer.OutcomeOf(errs[13]) != consumer.Rejected {
		t.Errorf("amount 13 ended as %v, want rejected: %v", consumer.OutcomeOf(errs[13]), errs[13])
	}
	w.wantSum("a", total(list).Sub(list[13].Add["Sum"]))
}

func TestAddRejectsBeyondHorizon(t *testing.T) {
	w := newWorld(t)
	table, calls := w.table(nil)
	old := amount(0, "5")
	table.Now = func() time.Time { return epoch.Add(horizon) }
	errs := add(t.Context(), table, target("a"), []Amount{old})
	rejection, ok := errors.AsType[*consumer.Rejection](errs[0])
	if !ok || rejection.Reason != consumer.TooOld {
		t.Errorf("got %v, want a rejection as too old", errs[0])
	}
	if calls.Calls() != 0 {
		t.Errorf("made %d calls, want none", calls.Calls())
	}
}

// The process dies before or after any one of the calls that it makes; then
// the batch comes again, whole. Every path of the protocol is taken: fresh, a
// full item that has to spill, and late changes.
func TestAddCrashAtEveryCall(t *testing.T) {
	before := amounts(100, 100+Capacity+10)               // fills the item and spills
	batch := append(amounts(0, 20), amounts(150, 230)...) // late, taken, and more than fits
	want := total(append(append([]Amount{}, before...), append(amounts(0, 20), amounts(100+Capacity+10, 230)...)...))
	crashAtEveryCall(t, 5, before, batch, func(w *world) { w.wantSum("a", want) })
}

// crashAtEveryCall adds before, and then a batch, again and again: each time the
// process dies at another call of the batch, once before and once after it has
// its effect, and the batch comes again, whole. check looks at what that leaves.
// The batch must take at least so many calls.
func crashAtEveryCall(t *testing.T, calls int, before, batch []Amount, check func(*world)) {
	t.Helper()
	for _, fault := range []wire.Fault{wire.Crash, wire.CrashAfter} {
		for k := 1; ; k += proof.Size(1, 3) {
			w := newWorld(t)
			healthy, _ := w.table(nil)
			add(t.Context(), healthy, target("a"), before)
			dying, transport := w.table(func(c wire.Call) wire.Fault {
				if c.N == k {
					return fault
				}
				return wire.None
			})
			add(t.Context(), dying, target("a"), batch)
			if !transport.Crashed() {
				if k <= calls {
					t.Fatalf("the batch took only %d calls, want %d at least: it should take every path of the protocol", k-1, calls)
				}
				break
			}
			errs := add(t.Context(), healthy, target("a"), batch)
			if retry := outcomesOf(errs)[consumer.Retry]; retry > 0 {
				t.Errorf("%v %d: %d amounts still not added: %v", fault, k, retry, errors.Join(errs...))
			}
			check(w)
			if t.Failed() {
				t.Fatalf("after %v %d", fault, k)
			}
		}
	}
}

// A plain ADD, which remembers nothing, as most handlers do it, doubles what a
// crash cut off: the crash test can tell exact from careless.
func TestPlainAddIsCaughtByCrash(t *testing.T) {
	w := newWorld(t)
	decide := func(c wire.Call) wire.Fault {
		if c.N == 1 {
			return wire.CrashAfter
		}
		return wire.None
	}
	dying, _ := w.table(decide)
	healthy, _ := w.table(nil)
	for _, table := range []*Table{dying, healthy} {
		_, _ = table.Client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
			TableName:                 aws.String("sums"),
			Key:                       target("a").Key,
			UpdateExpression:          aws.String("ADD #s :a"),
			ExpressionAttributeNames:  map[string]string{"#s": "Sum"},
			ExpressionAttributeValues: map[string]types.AttributeValue{":a": &types.AttributeValueMemberN{Value: "5"}},
		})
	}
	out, err := w.direct.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("sums"), Key: target("a").Key})
	if err != nil {
		t.Fatal(err)
	}
	if got := out.Item["Sum"].(*types.AttributeValueMemberN).Value; got != "10" {
		t.Errorf("plain ADD after a crash gives %s; it should double 5 to 10, or the test can't tell exact from careless", got)
	}
}
