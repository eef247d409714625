package consumer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"

	"sluice/shared/change"
	"sluice/shared/consumertest"
)

// function is a Handler under test with everything it wrote.
type function struct {
	*Handler
	t       *testing.T
	letters *shelf
	logs    bytes.Buffer
	metrics bytes.Buffer
	now     time.Time
}

// applyFunc makes an Applier of a function.
type applyFunc func(context.Context, *change.Change) error

func (f applyFunc) Apply(ctx context.Context, c *change.Change) error { return f(ctx, c) }

// batchFunc makes a Consumer of a function.
type batchFunc func(context.Context, []*change.Change) []error

func (f batchFunc) ApplyBatch(ctx context.Context, batch []*change.Change) []error {
	return f(ctx, batch)
}

// shelf keeps dead letters in memory; full makes it refuse them.
type shelf struct {
	kept []DeadLetter
	full error
}

func (s *shelf) Keep(_ context.Context, letters []DeadLetter) []error {
	errs := make([]error, len(letters))
	for i := range letters {
		if errs[i] = s.full; s.full == nil {
			s.kept = append(s.kept, letters[i])
		}
	}
	return errs
}

func newFunction(t *testing.T, c Consumer) *function {
	f := &function{t: t, letters: &shelf{}, now: consumertest.Arrival.Add(time.Second)}
	f.Handler = NewHandler("test", c, f.letters, Settings{}, slog.New(slog.NewTextHandler(&f.logs, nil)), &f.metrics)
	f.Now = func() time.Time { return f.now }
	return f
}

// invoke delivers a batch whose first record has sequence number first.
func (f *function) invoke(first int, records ...[]byte) []byte {
	f.t.Helper()
	answer, err := f.Invoke(f.t.Context(), consumertest.Payload(first, records...))
	if err != nil {
		f.t.Fatalf("Invoke: %v", err)
	}
	return answer
}

// counts reads the last metrics line.
func (f *function) counts() map[string]int {
	f.t.Helper()
	lines := bytes.Split(bytes.TrimSpace(f.metrics.Bytes()), []byte("\n"))
	var line struct{ Taken, Applied, Duplicate, Stale, Skipped, Retried, Rejected int }
	if err := json.Unmarshal(lines[len(lines)-1], &line); err != nil {
		f.t.Fatalf("metrics line: %v", err)
	}
	all := map[string]int{"Taken": line.Taken, "Applied": line.Applied, "Duplicate": line.Duplicate, "Stale": line.Stale,
		"Skipped": line.Skipped, "Retried": line.Retried, "Rejected": line.Rejected}
	for name, n := range all {
		if n == 0 {
			delete(all, name)
		}
	}
	return all
}

func (f *function) wantCounts(want map[string]int) {
	f.t.Helper()
	if diff := cmp.Diff(want, f.counts()); diff != "" {
		f.t.Errorf("metrics (-want +got):\n%s", diff)
	}
}

func (f *function) wantAnswer(got []byte, lowest int) {
	f.t.Helper()
	want := `{"batchItemFailures":[]}`
	if lowest > 0 {
		want = fmt.Sprintf(`{"batchItemFailures":[{"itemIdentifier":"%s"}]}`, consumertest.SequenceNumber(lowest))
	}
	if string(got) != want {
		f.t.Errorf("answer is %s, want %s", got, want)
	}
}

// insert is an insert of the item named key.
func insert(key string) []byte {
	item := consumertest.Item{"Id": consumertest.S(key)}
	return consumertest.Change{Table: "T", Time: consumertest.Arrival, Keys: item, New: item}.Record()
}

// script answers each change by its item's name.
func script(outcomes map[string]error) Consumer {
	return Each(applyFunc(func(_ context.Context, c *change.Change) error {
		name, err := c.Keys.String("Id")
		if err != nil {
			return Reject(err)
		}
		return outcomes[name]
	}))
}

func TestOutcomesAreCountedAndAnswered(t *testing.T) {
	f := newFunction(t, script(map[string]error{
		"duplicate": Duplicate,
		"stale":     fmt.Errorf("older than what is there: %w", Stale),
		"skip":      Skip,
		"bad":       Reject(errors.New("no score")),
		"throttled": errors.New("throttled"),
		"too":       errors.New("throttled too"),
	}))
	got := f.invoke(1, insert("a"), insert("duplicate"), insert("stale"), insert("skip"), insert("bad"), insert("throttled"), insert("b"), insert("too"))
	f.wantAnswer(got, 6)
	f.wantCounts(map[string]int{"Taken": 8, "Applied": 2, "Duplicate": 1, "Stale": 1, "Skipped": 1, "Rejected": 1, "Retried": 2})
	want := []DeadLetter{{
		Consumer: "test", Reason: Invalid, Error: "no score", Table: "T",
		Position: Position{
			StreamARN: "arn:aws:kinesis:us-east-1:000000000000:stream/changes", ShardID: "shardId-000000000000",
			SequenceNumber: consumertest.SequenceNumber(5), PartitionKey: fmt.Sprintf("%032X", 5), Arrival: consumertest.Arrival,
		},
		RejectedAt: f.now,
	}}
	if diff := cmp.Diff(want, f.letters.kept, cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Data" }, cmp.Ignore())); diff != "" {
		t.Errorf("dead letters (-want +got):\n%s", diff)
	}
	if kept, err := decodeData(f.letters.kept[0]); err != nil || !bytes.Equal(kept, insert("bad")) {
		t.Errorf("the dead letter holds %q (%v), want the record whole", kept, err)
	}
}

func TestBatchesAtTheEdges(t *testing.T) {
	none := script(nil)
	t.Run("empty", func(t *testing.T) {
		f := newFunction(t, none)
		f.wantAnswer(f.invoke(1), 0)
		f.wantCounts(map[string]int{})
	})
	t.Run("10,000 records", func(t *testing.T) {
		f := newFunction(t, none)
		records := make([][]byte, 10_000)
		for i := range records {
			records[i] = insert(fmt.Sprint(i))
		}
		f.wantAnswer(f.invoke(1, records...), 0)
		f.wantCounts(map[string]int{"Taken": 10_000, "Applied": 10_000})
	})
	t.Run("no batch at all", func(t *testing.T) {
		f := newFunction(t, none)
		if _, err := f.Invoke(t.Context(), []byte(`{"source":"aws.events"}`)); err == nil {
			t.Error("a payload that is no Kinesis batch was taken for an empty one")
		}
	})
}

func TestUndecodableRecordsBecomeDeadLetters(t *testing.T) {
	bad := [][]byte{[]byte("not JSON"), insert("cut")[:100], []byte("{}"), {}, {0xff, 0xfe}}
	f := newFunction(t, script(nil))
	f.wantAnswer(f.invoke(1, append(bad, insert("good"))...), 0)
	f.wantCounts(map[string]int{"Taken": 6, "Applied": 1, "Rejected": 5})
	if len(f.letters.kept) != len(bad) {
		t.Fatalf("%d dead letters, want %d", len(f.letters.kept), len(bad))
	}
	for i, letter := range f.letters.kept {
		if kept, err := decodeData(letter); err != nil || !bytes.Equal(kept, bad[i]) {
			t.Errorf("dead letter %d holds %q (%v), want %q", i, kept, err, bad[i])
		}
		if letter.Reason != Undecodable || letter.Error == "" {
			t.Errorf("dead letter %d has reason %q, error %q", i, letter.Reason, letter.Error)
		}
	}
}

func decodeData(letter DeadLetter) ([]byte, error) {
	var data []byte
	err := json.Unmarshal([]byte(`"`+letter.Data+`"`), &data)
	return data, err
}

// What can't be kept isn't dropped: it comes again.
func TestDeadLetterThatCannotBeKept(t *testing.T) {
	f := newFunction(t, script(map[string]error{"bad": Reject(errors.New("no score"))}))
	f.letters.full = errors.New("queue is down")
	f.wantAnswer(f.invoke(1, insert("a"), insert("bad"), insert("b")), 2)
	f.wantCounts(map[string]int{"Taken": 3, "Applied": 2, "Retried": 1})

	f.letters.full = nil
	f.wantAnswer(f.invoke(2, insert("bad"), insert("b")), 0)
	f.wantCounts(map[string]int{"Taken": 2, "Duplicate": 1, "Rejected": 1})
}

// A record that is kept already isn't kept again each time another one of its
// batch brings it back.
func TestDeadLetterIsKeptOnce(t *testing.T) {
	f := newFunction(t, script(map[string]error{"bad": Reject(errors.New("no score")), "slow": errors.New("throttled")}))
	for range 3 {
		f.wantAnswer(f.invoke(1, insert("slow"), insert("bad")), 1)
	}
	f.wantCounts(map[string]int{"Taken": 2, "Duplicate": 1, "Retried": 1})
	if len(f.letters.kept) != 1 {
		t.Errorf("kept %d times, want once", len(f.letters.kept))
	}
}

func TestStuckChangeIsTakenOut(t *testing.T) {
	outcomes := map[string]error{"slow": errors.New("throttled")}
	f := newFunction(t, script(outcomes))
	f.wantAnswer(f.invoke(1, insert("slow"), insert("a")), 1)
	outcomes["a"] = Duplicate
	f.now = f.now.Add(DefaultStuckAfter - time.Second)
	f.wantAnswer(f.invoke(1, insert("slow"), insert("a")), 1)
	f.now = f.now.Add(time.Second)
	f.wantAnswer(f.invoke(1, insert("slow"), insert("a")), 0)
	if len(f.letters.kept) != 1 || f.letters.kept[0].Reason != Stuck {
		t.Errorf("dead letters %v, want one that is stuck", f.letters.kept)
	}
}

// While nothing succeeds the destination is down, and everything waits, until
// the mapping is about to discard the records.
func TestDestinationDown(t *testing.T) {
	down := errors.New("connection refused")
	f := newFunction(t, script(map[string]error{"a": down, "b": down}))
	for range 20 {
		f.wantAnswer(f.invoke(1, insert("a"), insert("b")), 1)
		f.now = f.now.Add(time.Hour)
	}
	if len(f.letters.kept) != 0 {
		t.Fatalf("%d dead letters after 20 hours, want none", len(f.letters.kept))
	}
	f.now = consumertest.Arrival.Add(DefaultGiveUpAge)
	f.wantAnswer(f.invoke(1, insert("a"), insert("b")), 0)
	if len(f.letters.kept) != 2 || f.letters.kept[0].Reason != GivenUp {
		t.Errorf("dead letters %v, want both, given up", f.letters.kept)
	}
}

// The consumer's time ends before the function's: what isn't done comes again.
func TestConsumerStopsBeforeTheDeadline(t *testing.T) {
	for timeout, want := range map[time.Duration]time.Duration{
		time.Minute:     57 * time.Second,        // less the reserve
		2 * time.Second: 1500 * time.Millisecond, // at most a quarter is reserved
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			f := newFunction(t, batchFunc(func(ctx context.Context, _ []*change.Change) []error {
				<-ctx.Done()
				return []error{ctx.Err()}
			}))
			ctx, cancel := context.WithTimeout(t.Context(), timeout)
			defer cancel()
			answer, err := f.Invoke(ctx, consumertest.Payload(1, insert("a")))
			if err != nil {
				t.Fatal(err)
			}
			f.wantAnswer(answer, 1)
			if took := time.Since(began); took != want {
				t.Errorf("of %v the consumer had %v, want %v", timeout, took, want)
			}
		})
	}
}

func TestPanics(t *testing.T) {
	f := newFunction(t, batchFunc(func(context.Context, []*change.Change) []error { panic("nil map") }))
	if _, err := f.Invoke(t.Context(), consumertest.Payload(1, insert("a"), insert("b"))); err == nil {
		t.Error("a panic over two changes must fail the invocation, so that the mapping bisects")
	}
	f.wantAnswer(f.invoke(1, insert("a")), 1)

	f = newFunction(t, Each(applyFunc(func(_ context.Context, c *change.Change) error {
		if name, _ := c.Keys.String("Id"); name == "bad" {
			panic("nil map")
		}
		return nil
	})))
	f.wantAnswer(f.invoke(1, insert("a"), insert("bad"), insert("b")), 2)
	f.wantCounts(map[string]int{"Taken": 3, "Applied": 2, "Retried": 1})
}

func TestWrongNumberOfErrors(t *testing.T) {
	f := newFunction(t, batchFunc(func(context.Context, []*change.Change) []error { return nil }))
	if _, err := f.Invoke(t.Context(), consumertest.Payload(1, insert("a"))); err == nil {
		t.Error("an ApplyBatch that returns too few errors was trusted")
	}
}

// A function remembers what it kept. What its keeper sends again it must apply all the same, and
// what fails then is no new dead letter: the old one still stands.
func TestRedrivenLettersAreApplied(t *testing.T) {
	outcomes := map[string]error{"a": Reject(errors.New("no score"))}
	f := newFunction(t, script(outcomes))
	f.invoke(1, insert("a"))
	var said lambdacontext.ClientContext
	if err := json.Unmarshal([]byte(RedriveContext), &said); err != nil {
		t.Fatal(err)
	}
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{ClientContext: said})
	again := func() []byte {
		answer, err := f.Invoke(ctx, consumertest.Payload(1, insert("a")))
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	outcomes["a"] = errors.New("throttled")
	f.now = f.now.Add(2 * DefaultGiveUpAge)
	if got, want := string(again()), fmt.Sprintf(`{"batchItemFailures":[{"itemIdentifier":"%s"}],"redriven":true}`, consumertest.SequenceNumber(1)); got != want {
		t.Errorf("answer is %s, want %s", got, want)
	}
	f.wantCounts(map[string]int{"Taken": 1, "Retried": 1})
	outcomes["a"] = nil
	if got, want := string(again()), `{"batchItemFailures":[],"redriven":true}`; got != want {
		t.Errorf("answer is %s, want %s", got, want)
	}
	f.wantCounts(map[string]int{"Taken": 1, "Applied": 1})
	if len(f.letters.kept) != 1 {
		t.Errorf("%d dead letters, want the first one", len(f.letters.kept))
	}
	f.invoke(1, insert("a"))
	f.wantCounts(map[string]int{"Taken": 1, "Duplicate": 1})
}
