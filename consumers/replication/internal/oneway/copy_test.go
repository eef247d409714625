package oneway

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"sluice/consumers/replication/internal/store"
	"sluice/consumers/replication/mark"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/wire"
)

func TestMain(m *testing.M) { servertest.Main(m) }

// newTable returns a table in a database of its own.
func newTable(t testing.TB) Copy {
	t.Helper()
	cfg := servertest.DynamoDB(t)
	direct := dynamodb.NewFromConfig(cfg)
	servertest.CreateTable(t, direct, "Copy", "Id")
	if _, err := direct.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("Tombstones"), BillingMode: "PAY_PER_REQUEST",
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String(store.TombstoneKey), AttributeType: "B"}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String(store.TombstoneKey), KeyType: "HASH"}},
	}); err != nil {
		t.Fatal(err)
	}
	return Copy{Table: &store.Table{
		Client: direct, Region: cfg.Region, Name: "Copy", Tombstones: "Tombstones", Horizon: 384 * time.Hour,
		Now: func() time.Time { return consumertest.Arrival },
	}}
}

func s(text string) types.AttributeValue { return &types.AttributeValueMemberS{Value: text} }

func key(id string) store.Item { return store.Item{"Id": s(id)} }

// at returns the mark of a change n µs after an hour ago.
func at(n int64) mark.Mark {
	µs := consumertest.Arrival.Add(-time.Hour).UnixMicro() + n
	return mark.New(µs, µs, 1, "us-east-1")
}

func (c Copy) putText(ctx context.Context, id, text string, m mark.Mark) error {
	return c.Put(ctx, key(id), store.Item{"Id": s(id), "Text": s(text)}, m, false)
}

// text returns what the copy of an item holds, "" if there is none.
func (c Copy) text(tb testing.TB, id string) string {
	tb.Helper()
	out, err := c.Client.GetItem(tb.Context(), &dynamodb.GetItemInput{TableName: &c.Name, Key: key(id), ConsistentRead: aws.Bool(true)})
	if err != nil {
		tb.Fatal(err)
	}
	text, _ := out.Item["Text"].(*types.AttributeValueMemberS)
	if text == nil {
		return ""
	}
	return text.Value
}

// Each step with its outcome and what the copy holds after it. Fails if a put or
// remove ignores what is newer, or says something else of it.
func TestOutcomes(t *testing.T) {
	type step struct {
		put  string // "": remove
		at   int64
		want error
		then string
	}
	for name, steps := range map[string][]step{
		"in order, twice": {
			{"a", 1, nil, "a"}, {"a", 1, consumer.Duplicate, "a"},
			{"b", 2, nil, "b"}, {"a", 1, consumer.Stale, "b"},
			{"", 3, nil, ""}, {"", 3, consumer.Duplicate, ""}, {"b", 2, consumer.Stale, ""},
			{"c", 4, nil, "c"}, {"", 3, consumer.Duplicate, "c"}, {"c", 4, consumer.Duplicate, "c"},
		},
		"the remove first": {
			{"", 3, nil, ""}, {"b", 2, consumer.Stale, ""}, {"c", 4, nil, "c"}, {"a", 1, consumer.Stale, "c"},
		},
		"the remove last": {
			{"c", 4, nil, "c"}, {"", 3, consumer.Stale, "c"}, {"", 5, nil, ""}, {"", 1, consumer.Stale, ""},
		},
	} {
		t.Run(name, func(t *testing.T) {
			table := newTable(t)
			for i, step := range steps {
				var err error
				if step.put == "" {
					err = table.Remove(t.Context(), key("x"), at(step.at))
				} else {
					err = table.putText(t.Context(), "x", step.put, at(step.at))
				}
				if got := consumer.OutcomeOf(err); got != consumer.OutcomeOf(step.want) {
					t.Errorf("step %d: %v (%v), want %v", i+1, got, err, consumer.OutcomeOf(step.want))
				}
				if got := table.text(t, "x"); got != step.then {
					t.Errorf("after step %d the copy holds %q, want %q", i+1, got, step.then)
				}
			}
		})
	}
}

// Fails if a tie isn't decided the same way in both orders, or not counted.
func TestTies(t *testing.T) {
	table := newTable(t)
	time := at(1)
	low, high := mark.New(time.Clock(), time.Created(), 1, "r"), mark.New(time.Clock(), time.Created(), 2, "r")
	for id, order := range map[string][]mark.Mark{"x": {low, high}, "y": {high, low}} {
		for _, m := range order {
			text := map[mark.Mark]string{low: "low", high: "high"}[m]
			if err := table.putText(t.Context(), id, text, m); consumer.OutcomeOf(err) == consumer.Retry {
				t.Fatal(err)
			}
		}
		if got := table.text(t, id); got != "high" {
			t.Errorf("%s holds %q, want high", id, got)
		}
	}
	if got := table.Ties.Load(); got != 2 {
		t.Errorf("%d ties counted, want 2", got)
	}
}

// Fails if a change whose tombstone may be forgotten is written.
func TestTooOld(t *testing.T) {
	table := newTable(t)
	µs := consumertest.Arrival.Add(-table.Horizon).UnixMicro() - 1
	m := mark.New(µs, µs, 1, "r")
	for _, err := range []error{table.putText(t.Context(), "x", "old", m), table.Remove(t.Context(), key("x"), m)} {
		rejection, ok := errors.AsType[*consumer.Rejection](err)
		if !ok || rejection.Reason != consumer.TooOld {
			t.Errorf("got %v, want a rejection as too old", err)
		}
	}
	if got := table.text(t, "x"); got != "" {
		t.Errorf("the copy holds %q", got)
	}
}

// An item of 400 KB fits into its own table but not, with the mark, into the
// copy's. Fails if that blocks the shard, or the reason isn't told.
func TestMarkDoesNotFit(t *testing.T) {
	table := newTable(t)
	for text, want := range map[string]error{
		strings.Repeat("x", store.MaxItemBytes-len("Id")-len("x")-len("Text")): store.ErrMarkDoesNotFit,
		strings.Repeat("x", store.MaxItemBytes-200):                            nil,
	} {
		err := table.putText(t.Context(), "x", text, at(int64(len(text))))
		if !errors.Is(err, want) || (want != nil) != (consumer.OutcomeOf(err) == consumer.Rejected) {
			t.Errorf("an item of %d bytes: %v, want %v", len(text), err, want)
		}
	}
}

// Fails if a long key is refused for its tombstone's sake, or two of them share one.
func TestLongKeys(t *testing.T) {
	table := newTable(t)
	long := strings.Repeat("k", 2047)
	if err := table.Remove(t.Context(), key(long+"1"), at(2)); err != nil {
		t.Fatal(err)
	}
	if err := table.putText(t.Context(), long+"1", "old", at(1)); consumer.OutcomeOf(err) != consumer.Stale {
		t.Errorf("a removed item comes back: %v", err)
	}
	if err := table.putText(t.Context(), long+"2", "new", at(1)); err != nil {
		t.Errorf("another item is taken for the removed one: %v", err)
	}
}

// Fails if a missing table is a rejection (its changes would be dead letters), or
// the error doesn't say what to do.
func TestMissingTables(t *testing.T) {
	table := newTable(t)
	table.Name = "Nowhere"
	err := table.putText(t.Context(), "x", "a", at(1))
	if consumer.OutcomeOf(err) != consumer.Retry || !strings.Contains(err.Error(), "table Nowhere (us-east-1) does not exist") {
		t.Errorf("got %v", err)
	}
}

// Fails if credentials without the right make dead letters, or if the error names
// neither the action nor what it is for; for each call that a put and a remove make.
func TestAccessDenied(t *testing.T) {
	for n, want := range map[int]string{
		1: "dynamodb:PutItem on arn:aws:dynamodb:us-east-1:*:table/Copy",
		2: "dynamodb:GetItem on arn:aws:dynamodb:us-east-1:*:table/Tombstones",
		3: "dynamodb:PutItem on arn:aws:dynamodb:us-east-1:*:table/Tombstones",
		4: "dynamodb:DeleteItem on arn:aws:dynamodb:us-east-1:*:table/Copy",
	} {
		table := newTable(t)
		denied := &denial{n: n, base: http.DefaultTransport}
		broken := table.withClient(dynamodb.New(table.Client.Options(), func(o *dynamodb.Options) { o.HTTPClient = &http.Client{Transport: denied} }))
		put := broken.putText(t.Context(), "x", "a", at(1))
		var remove error
		if put == nil {
			remove = broken.Remove(t.Context(), key("x"), at(2))
		}
		err := errors.Join(put, remove)
		if consumer.OutcomeOf(err) != consumer.Retry || !strings.Contains(err.Error(), "the credentials need the right to "+want) {
			t.Errorf("call %d is denied: %v, want %s", n, err, want)
		}
		if _, ok := errors.AsType[smithy.APIError](err); !ok {
			t.Errorf("call %d: %v has lost what DynamoDB said", n, err)
		}
	}
}

// denial answers one call as DynamoDB does if the credentials have no right to it.
type denial struct {
	n    int // of the call
	base http.RoundTripper
	seen int
}

// RoundTrip implements http.RoundTripper.
func (d *denial) RoundTrip(r *http.Request) (*http.Response, error) {
	if d.seen++; d.seen != d.n {
		return d.base.RoundTrip(r)
	}
	body := []byte(`{"__type":"com.amazon.coral.service#AccessDeniedException","Message":"User: arn:aws:sts::1:assumed-role/f is not authorized"}`)
	return wire.Answer(r, http.StatusBadRequest, http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, body), nil
}

// Puts and removes of one item, each call of which is cut before or after its
// effect, then all again in another order. Fails without any of the protocol's
// guards, or if an answer that got lost is an error for good.
func TestCutAtEveryCall(t *testing.T) {
	for _, fault := range []wire.Fault{wire.Crash, wire.CrashAfter, wire.LostAnswer} {
		for cut := 1; ; cut++ {
			happened := false
			table := newTable(t)
			broken := table.withClient(faulty(table.Client, func(c wire.Call) wire.Fault {
				if c.N == cut {
					happened = true
					return fault
				}
				return wire.None
			}))
			steps := []func(Copy) error{
				func(t2 Copy) error { return t2.Remove(t.Context(), key("x"), at(4)) },
				func(t2 Copy) error { return t2.putText(t.Context(), "x", "1", at(1)) },
				func(t2 Copy) error { return t2.putText(t.Context(), "x", "3", at(3)) },
			}
			for _, step := range steps {
				_ = step(broken) // what it says is lost with it
			}
			for i := len(steps) - 1; i >= 0; i-- {
				if err := steps[i](table); consumer.OutcomeOf(err) == consumer.Retry || consumer.OutcomeOf(err) == consumer.Rejected {
					t.Errorf("%v at call %d, step %d again: %v", fault, cut, i+1, err)
				}
			}
			if diff := cmp.Diff("", table.text(t, "x")); diff != "" {
				t.Errorf("%v at call %d: the removed item is back (-want +got):\n%s", fault, cut, diff)
			}
			if !happened {
				break
			}
		}
	}
}

// withClient returns the table as another client has it.
func (c Copy) withClient(client *dynamodb.Client) Copy {
	return Copy{Table: &store.Table{Client: client, Region: c.Region, Name: c.Name, Tombstones: c.Tombstones, Horizon: c.Horizon, Now: c.Now}}
}

// faulty is the client with the faults that decide injects.
func faulty(client *dynamodb.Client, decide func(wire.Call) wire.Fault) *dynamodb.Client {
	return dynamodb.New(client.Options(), func(o *dynamodb.Options) {
		o.HTTPClient = &http.Client{Transport: &wire.Transport{Decide: decide}}
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		})
	})
}
