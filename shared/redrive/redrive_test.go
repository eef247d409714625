package redrive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/wire"
)

func TestMain(m *testing.M) { servertest.Main(m) }

// world is a consumer with its real queue, bucket and stream. Its function is a Handler that lives on between deliveries.
type world struct {
	*Redrive
	t       *testing.T
	handler *consumer.Handler
	log     bytes.Buffer
	stream  string // ARN
	bucket  string
	down    bool // the destination is down
	bad     bool // what has "bad" in its name is refused
	applied []string
	stay    []error
	old     bool // the function knows nothing of redrives
	loses   bool // what the queue answers the function is lost every other time, so that it sends anew
	mu      sync.Mutex
	items   sync.Mutex
	before  func() // each invocation
	after   func()
}

func newWorld(t *testing.T) *world {
	cfg := servertest.Ministack(t)
	w := &world{t: t, bad: true}
	queues, buckets, streams := sqs.NewFromConfig(cfg), s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }), kinesis.NewFromConfig(cfg)
	made, err := queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("letters")})
	if err != nil {
		t.Fatal(err)
	}
	w.stream = servertest.CreateStream(t, streams, "changes", 1)
	losing := sqs.NewFromConfig(cfg, func(o *sqs.Options) {
		o.HTTPClient = &http.Client{Transport: &wire.Transport{Decide: func(c wire.Call) wire.Fault {
			if w.loses && c.N%2 == 1 {
				return wire.LostAnswer
			}
			return wire.None
		}}}
	})
	w.bucket = servertest.CreateBucket(t, buckets)
	letters := &consumer.Queue{SQS: losing, URL: *made.QueueUrl, S3: buckets, Bucket: w.bucket}
	w.handler = consumer.NewHandler("game", consumer.Each(w), letters, consumer.Settings{}, slog.New(slog.NewJSONHandler(&w.log, nil)), &w.log)
	w.Redrive = &Redrive{
		Consumer: "game", SQS: queues, URL: *made.QueueUrl, S3: buckets, Kinesis: streams, Function: w,
		Visibility: time.Minute, Failed: func(_ *Letter, err error) { w.stay = append(w.stay, err) },
	}
	return w
}

// Apply is the consumer's.
func (w *world) Apply(_ context.Context, c *change.Change) error {
	w.items.Lock() // different items come side by side
	defer w.items.Unlock()
	name, err := c.Keys.String("Id")
	switch {
	case err != nil:
		return consumer.Reject(err)
	case w.bad && strings.Contains(name, "bad"):
		return consumer.Reject(errors.New("bad name"))
	case w.down:
		return errors.New("the table is down")
	case slices.Contains(w.applied, name):
		return consumer.Duplicate
	}
	w.applied = append(w.applied, name)
	return nil
}

// Invoke is Lambda's part: it hands the client context on.
func (w *world) Invoke(ctx context.Context, payload []byte) (Reply, error) {
	w.mu.Lock() // a handler takes one batch at a time, like a function's instance
	defer w.mu.Unlock()
	if w.before != nil {
		w.before()
	}
	if err := ctx.Err(); err != nil {
		return Reply{}, err
	}
	w.log.Reset()
	var said lambdacontext.ClientContext
	if !w.old {
		if err := json.Unmarshal([]byte(consumer.RedriveContext), &said); err != nil {
			return Reply{}, err
		}
	}
	answer, err := w.handler.Invoke(lambdacontext.NewContext(context.WithoutCancel(ctx), &lambdacontext.LambdaContext{ClientContext: said}), payload)
	if w.after != nil {
		w.after()
	}
	if ctx.Err() != nil {
		return Reply{}, ctx.Err() // we end before the answer is here
	}
	return Reply{Answer: answer, Log: bytes.Clone(w.log.Bytes()), Failure: err}, nil
}

func insert(name string) []byte {
	item := consumertest.Item{"Id": consumertest.S(name)}
	return consumertest.Change{Table: "T", Time: consumertest.Arrival, Keys: item, New: item}.Record()
}

// deliver is a mapping's invocation; the first record is at place 1.
func (w *world) deliver(names ...string) {
	w.t.Helper()
	var records [][]byte
	for _, name := range names {
		records = append(records, insert(name))
	}
	if _, err := w.handler.Invoke(w.t.Context(), consumertest.Payload(1, records...)); err != nil {
		w.t.Fatal(err)
	}
}

// giveUp puts changes into the stream, and Lambda's on-failure document about them into the queue. It returns their places.
func (w *world) giveUp(names ...string) []string {
	w.t.Helper()
	var sequences []string
	for _, name := range names {
		out, err := w.Kinesis.PutRecord(w.t.Context(), &kinesis.PutRecordInput{StreamARN: &w.stream, PartitionKey: aws.String("p"), Data: insert(name)})
		if err != nil {
			w.t.Fatal(err)
		}
		sequences = append(sequences, *out.SequenceNumber)
	}
	w.sendDocument(sequences[0], sequences[len(sequences)-1], len(sequences))
	return sequences
}

func (w *world) sendDocument(first, last string, n int) {
	w.t.Helper()
	body := fmt.Sprintf(`{"requestContext":{"requestId":"r","functionArn":"f","condition":"RecordAgeExceeded","approximateInvokeCount":3},
		"version":"1.0","timestamp":"2026-01-02T03:04:05.678Z","KinesisBatchInfo":{"shardId":"shardId-000000000000","startSequenceNumber":"%s",
		"endSequenceNumber":"%s","approximateArrivalOfFirstRecord":"2026-01-02T03:04:05.678Z","approximateArrivalOfLastRecord":"2026-01-02T03:04:05.678Z",
		"batchSize":%d,"streamArn":"%s"}}`, first, last, n, w.stream)
	if _, err := w.SQS.SendMessage(w.t.Context(), &sqs.SendMessageInput{QueueUrl: &w.URL, MessageBody: &body}); err != nil {
		w.t.Fatal(err)
	}
}

// run runs a redrive that must end well.
func (w *world) run() Result {
	w.t.Helper()
	result, err := w.Run(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return result
}

func (w *world) wantWaiting(want int) {
	w.t.Helper()
	visible, hidden, err := Waiting(w.t.Context(), w.SQS, w.URL)
	if err != nil {
		w.t.Fatal(err)
	}
	if visible != want || hidden != 0 {
		w.t.Errorf("%d messages wait and %d are hidden, want %d and 0", visible, hidden, want)
	}
}

func (w *world) wantApplied(want ...string) {
	w.t.Helper()
	got := slices.Clone(w.applied)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		w.t.Errorf("applied %v, want %v", got, want)
	}
}

// The function that kept the letters is the one that gets them again: it must not take them for done.
func TestBothKindsAreRecovered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	large := "bad " + strings.Repeat("x", consumer.MaxMessageBytes)
	w.deliver("good", "bad 1", "bad 2", large)
	w.giveUp("a", "b", "c")
	w.giveUp("d")

	groups := Groups{}
	if seen, err := w.Letters(t.Context(), groups.Add); err != nil || seen.Seen != 5 || seen.Unseen != 0 {
		t.Fatal(err)
	}
	listed := groups.Sorted()
	if len(listed) != 2 || listed[0].Reason != "RecordAgeExceeded" || listed[0].Letters != 2 || listed[0].Records != 4 ||
		listed[1].Reason != "invalid" || listed[1].Letters != 3 || listed[1].Error != "bad name" || !strings.HasPrefix(listed[1].Example, `INSERT T {"Id":"bad `) {
		t.Errorf("listed %+v", listed)
	}
	w.wantWaiting(5)
	w.wantApplied("good")

	w.bad = false
	got := w.run()
	if got.Sent != 7 || got.Removed != 5 || got.Failed != 0 || got.Counts.Applied != 7 {
		t.Errorf("result %+v", got)
	}
	w.wantWaiting(0)
	w.wantApplied("good", "bad 1", "bad 2", large, "a", "b", "c", "d")
}

// What is refused again stands in the queue once, anew; the run doesn't send it for ever.
func TestRefusedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver("bad 1", "bad 2")
	w.giveUp("a", "bad 3")
	got := w.run()
	if got.Removed != 3 || got.Counts.Rejected != 3 || got.LastRejected != "invalid: bad name" {
		t.Errorf("result %+v", got)
	}
	w.wantWaiting(3) // the range is one of the consumer's own letters now
	w.wantApplied("a")
	w.bad = false
	w.run()
	w.wantWaiting(0)
	w.wantApplied("a", "bad 1", "bad 2", "bad 3")
}

// A function that sends a letter again, since the answer got lost, has it in the queue twice: one of the two goes.
func TestRefusedAgainAndKeptTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.loses = true
	w.deliver("bad 1", "bad 2")
	w.wantWaiting(4)
	for range 2 {
		got := w.run()
		if got.Sent != 2 || got.Left != 2 || got.Counts.Rejected != 2 {
			t.Errorf("result %+v", got)
		}
		w.wantWaiting(2)
	}
	w.bad = false
	w.run()
	w.wantWaiting(0)
	w.wantApplied("bad 1", "bad 2")
}

// While the destination is down everything stays, as it was, and the run ends early.
func TestDestinationStillDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver("bad 1", "bad 2", "bad 3", "bad 4")
	w.giveUp("a", "b")
	w.bad, w.down = false, true
	_, err := w.Run(t.Context())
	if !errors.Is(err, ErrManyFailed) {
		t.Errorf("error %v, want ErrManyFailed", err)
	}
	if len(w.stay) == 0 || !strings.Contains(w.stay[0].Error(), "the table is down") {
		t.Errorf("what stays: %v", w.stay)
	}
	w.wantWaiting(5)
	w.KeepGoing = true
	if got := w.run(); got.Failed != 5 || got.Removed != 0 {
		t.Errorf("result %+v", got)
	}
	w.wantWaiting(5)
	w.down = false
	w.run()
	w.wantWaiting(0)
	w.wantApplied("bad 1", "bad 2", "bad 3", "bad 4", "a", "b")
}

// Only what is chosen is sent; the rest is in the queue as it was.
func TestChoice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver("bad 1", "bad 2", "bad 3")
	sequence := w.giveUp("a")[0]
	w.bad = false
	w.Sequence = consumertest.SequenceNumber(2)
	w.run()
	w.wantApplied("bad 2")
	w.Sequence, w.Reason = "", "stuck"
	if got := w.run(); got.Sent != 0 || got.Left != 3 {
		t.Errorf("result %+v", got)
	}
	w.Sequence, w.Reason = sequence, "RecordAgeExceeded"
	w.run()
	w.wantApplied("bad 2", "a")
	w.wantWaiting(2)
	w.Consumer = "other"
	w.Sequence, w.Reason = "", ""
	if got := w.run(); got.Sent != 0 || got.Failed != 2 {
		t.Errorf("another consumer's letters: result %+v", got)
	}
	w.wantWaiting(2)
}

// Wherever a run is cut, before an invocation or between it and its answer, the next one finishes: no change is lost.
func TestInterruptedAnywhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	names := []string{"bad 1", "bad 2", "bad 3"}
	w.deliver(names...)
	w.giveUp("a", "b", "c")
	w.bad = false
	for cut := 1; ; cut++ {
		ctx, cancel := context.WithCancel(t.Context())
		calls := 0
		w.before = func() {
			if calls++; calls == cut && cut%2 == 0 {
				cancel()
			}
		}
		w.after = func() {
			if calls == cut {
				cancel()
			}
		}
		_, err := w.Run(ctx)
		cancel()
		if err == nil {
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if cut > 20 {
			t.Fatal("it doesn't get on")
		}
	}
	w.wantWaiting(0)
	w.wantApplied(append(names, "a", "b", "c")...)
}

// A function from before there were redrives answers that what it has kept is done. Nothing is removed then.
func TestOldFunction(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver("bad 1", "bad 2")
	w.giveUp("a")
	w.bad, w.old = false, true
	for _, w.Reason = range []string{"invalid", "RecordAgeExceeded"} {
		if got, err := w.Run(t.Context()); got.Removed != 0 || !errors.Is(err, ErrOldFunction) {
			t.Errorf("%s: result %+v, %v", w.Reason, got, err)
		}
	}
	w.wantWaiting(3)
}

// Two runs at a time send some changes twice at worst, and lose none.
func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var names []string
	for i := range 25 {
		names = append(names, fmt.Sprint("bad ", i))
	}
	w.deliver(names...)
	w.giveUp("a", "b", "c")
	w.bad = false
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			if _, err := w.Run(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	w.wantWaiting(0)
	w.wantApplied(append(names, "a", "b", "c")...)
	if len(w.stay) > 0 {
		t.Errorf("some stayed: %v", w.stay)
	}
}

// Of a range that the stream doesn't keep any more only the place is left, which is said.
func TestExpiredRange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	last := w.giveUp("a")[0]
	w.run()
	w.sendDocument("1", last, 4)
	if got := w.run(); got.Failed != 1 || got.Removed != 0 {
		t.Errorf("result %+v", got)
	}
	if _, expired := errors.AsType[*ExpiredError](w.stay[0]); !expired {
		t.Errorf("it stays since %v, want an ExpiredError", w.stay[0])
	}
	w.wantWaiting(1)
}

// An answer that isn't a consumer's removes nothing, though Lambda would take it for a success.
func TestAnswersThatSayNothing(t *testing.T) {
	for _, answer := range []string{``, `null`, `{}`, `"ok"`, `{"batchItemFailures":null}`, `{"batchItemFailures":[{}]}`, `{"batchItemFailures":[{"itemIdentifier":""}]}`} {
		if again, _, err := Again([]byte(answer)); err == nil {
			t.Errorf("answer %s: %v come again, want an error", answer, again)
		}
	}
	if again, redriven, err := Again([]byte(`{"batchItemFailures":[]}`)); err != nil || len(again) != 0 || redriven {
		t.Errorf("success: %v, %v", again, err)
	}
}
