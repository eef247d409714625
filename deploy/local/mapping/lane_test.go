package mapping

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	kinesistypes "github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/google/go-cmp/cmp"

	"sluice/deploy/local/mapping/function"
	"sluice/deploy/local/template"
)

// defaults are those of Lambda.
func defaults() template.KinesisMapping {
	return template.KinesisMapping{
		Name: "Changes", Enabled: true, StartingPosition: template.TrimHorizon, BatchSize: 100, ParallelizationFactor: 1,
		MaximumRetryAttempts: template.Endless, MaximumRecordAge: template.Endless,
	}
}

// testFunction is the test binary, which plays the function.
func testFunction(behaviour, ledgerPath string) function.Config {
	return function.Config{
		Name: "leaderboard", Binary: os.Args[0], ARN: testFunctionARN, Env: []string{role + "=" + behaviour, ledger + "=" + ledgerPath},
		Timeout: 30 * time.Second, MemoryMB: 128,
	}
}

// bench is one lane with its function, and without a stream.
type bench struct {
	t         *testing.T
	mapping   *Mapping
	shard     *shard
	lane      *lane
	ledger    string
	log       bytes.Buffer
	backoffs  []int
	documents []document
	arrival   time.Time
	added     int
}

func newBench(t *testing.T, behaviour string, settings template.KinesisMapping) *bench {
	t.Helper()
	b := &bench{t: t, ledger: filepath.Join(t.TempDir(), "ledger"), arrival: time.Now()}
	settings.Stream = testStreamARN
	m, err := New(Config{
		Function: testFunction(behaviour, b.ledger), Settings: settings,
		Kinesis: kinesis.New(kinesis.Options{}), Log: slog.New(slog.NewTextHandler(&b.log, nil)),
		Backoff: func(failures int) time.Duration { b.backoffs = append(b.backoffs, failures); return 0 },
	})
	if err != nil {
		t.Fatal(err)
	}
	m.destination = &destination{arn: "arn:of:the:bench", send: func(_ context.Context, _ string, _ time.Time, body []byte) error {
		var doc document
		b.documents = append(b.documents, doc)
		return json.Unmarshal(body, &b.documents[len(b.documents)-1])
	}}
	b.mapping = m
	b.shard = newShard("shardId-000000000000", nil, template.TrimHorizon)
	b.shard.room = m.config.Memory.newRoom()
	if b.lane, err = newLane(m, b.shard); err != nil {
		t.Fatal(err)
	}
	return b
}

// push adds records with data, numbered from 1 on.
func (b *bench) push(data ...string) {
	b.t.Helper()
	var records []record
	for _, d := range data {
		b.added++
		r := newSource(b.shard.id, testStreamARN, testFunctionARN).encode(&kinesistypes.Record{
			PartitionKey: aws.String("k"), SequenceNumber: aws.String(fmt.Sprint(b.added)), Data: []byte(d), ApproximateArrivalTimestamp: &b.arrival,
		})
		r.place = b.shard.progress.add(r.sequence, r.arrival)
		b.mapping.count(func(s *Stats) { s.Read++ })
		if !b.shard.room.tryAcquire(r.weight()) {
			b.t.Fatal("no room")
		}
		records = append(records, r)
	}
	b.lane.push(records)
}

// run delivers what has been pushed.
func (b *bench) run() error {
	b.lane.close()
	return b.lane.run(b.t.Context())
}

func (b *bench) mustRun() {
	b.t.Helper()
	if err := b.run(); err != nil {
		b.t.Fatalf("%v\n%s", err, b.log.String())
	}
}

// want compares what the function processed in each invocation, and the documents as "condition first-last xinvocations".
func (b *bench) want(invocations [][]string, documents []string) {
	b.t.Helper()
	got := readLedger(b.t, b.ledger)
	for _, invocation := range got {
		for i := range invocation {
			invocation[i] = strings.TrimPrefix(invocation[i], "k ")
		}
	}
	if diff := cmp.Diff(invocations, got); diff != "" {
		b.t.Errorf("processed, by invocation (-want +got):\n%s", diff)
	}
	var docs []string
	for _, d := range b.documents {
		info := d.KinesisBatchInfo
		docs = append(docs, fmt.Sprintf("%s %s-%s x%d", d.RequestContext.Condition, info.StartSequenceNumber, info.EndSequenceNumber, d.RequestContext.ApproximateInvokeCount))
	}
	if diff := cmp.Diff(documents, docs); diff != "" {
		b.t.Errorf("on-failure documents (-want +got):\n%s", diff)
	}
	if b.shard.progress.at() != fmt.Sprint(b.added) {
		b.t.Errorf("checkpoint %s, want %d: all is done", b.shard.progress.at(), b.added)
	}
	if stats := b.mapping.Stats(); stats.Done != stats.Read || stats.Delivered == 0 && len(got) > 0 {
		b.t.Errorf("stats %+v, want all that was read to be done", stats)
	}
	if b.shard.room.used != 0 {
		b.t.Error("done records still hold room in the buffer")
	}
}

func TestDeliverSuccess(t *testing.T) {
	s := defaults()
	s.BatchSize = 2
	b := newBench(t, "reports", s)
	b.push("a", "b", "c", "d", "e")
	b.mustRun()
	b.want([][]string{{"a", "b"}, {"c", "d"}, {"e"}}, nil)
	if stats := b.mapping.Stats(); stats.Invocations != 3 || stats.Succeeded != 3 || stats.Retried != 0 || stats.Delivered != 5 {
		t.Errorf("stats %+v", stats)
	}
}

func TestDeliverAgainFromTheLowestReported(t *testing.T) {
	s := defaults()
	s.ReportBatchItemFailures, s.MaximumRetryAttempts = true, 2
	b := newBench(t, "reports", s)
	b.push("a", "b", "bad", "c", "bad too", "d")
	b.mustRun()
	// Everything from the first bad record on is delivered until the retries are used up, and then given up, good or bad.
	// The first delivery moved the checkpoint, so the retries are counted from the second one on.
	b.want([][]string{{"a", "b", "c", "d"}, {"c", "d"}, {"c", "d"}, {"c", "d"}}, []string{"RetryAttemptsExhausted 3-6 x3"})
	if b.documents[0].ResponseContext == nil || b.documents[0].ResponseContext.FunctionError != nil {
		t.Errorf("response %+v, want one without a function error", b.documents[0].ResponseContext)
	}
	if stats := b.mapping.Stats(); stats.Partial != 4 || stats.Retried != 3 || stats.Discarded != 4 || stats.Documents != 1 {
		t.Errorf("stats %+v", stats)
	}
	if diff := cmp.Diff([]int{1, 2, 3}, b.backoffs); diff != "" {
		t.Errorf("waits by failures in a row:\n%s", diff)
	}
}

// As recorded on AWS: a batch of three whose last record is always reported is delivered five times with three retries.
func TestRetriesAreCountedFromTheCheckpointOn(t *testing.T) {
	s := defaults()
	s.BatchSize, s.ReportBatchItemFailures, s.MaximumRetryAttempts = 3, true, 3
	b := newBench(t, "reports", s)
	b.push("a", "b", "bad")
	b.mustRun()
	b.want([][]string{{"a", "b"}, nil, nil, nil, nil}, []string{"RetryAttemptsExhausted 3-3 x4"})
}

func TestReportIsIgnoredWhenItIsNotAskedFor(t *testing.T) {
	b := newBench(t, "reports", defaults())
	b.push("a", "bad", "b")
	b.mustRun()
	b.want([][]string{{"a", "b"}}, nil) // the bad one is lost, as with Lambda
	if stats := b.mapping.Stats(); stats.Succeeded != 1 || stats.Partial != 0 {
		t.Errorf("stats %+v", stats)
	}
}

func TestDeliverAgainAsAWhole(t *testing.T) {
	s := defaults()
	s.MaximumRetryAttempts = 1
	b := newBench(t, "fails", s)
	b.push("a", "bad", "b")
	b.mustRun()
	b.want([][]string{{"a"}, {"a"}}, []string{"RetryAttemptsExhausted 1-3 x2"})
	if failed := b.documents[0].ResponseContext.FunctionError; failed == nil || *failed != "Unhandled" {
		t.Errorf("response %+v, want a function error", b.documents[0].ResponseContext)
	}
	if !strings.Contains(b.log.String(), "cannot do bad") {
		t.Errorf("the log does not have the function's error:\n%s", b.log.String())
	}
}

func TestBisectOnError(t *testing.T) {
	s := defaults()
	s.BisectBatchOnFunctionError, s.MaximumRetryAttempts = true, 0
	b := newBench(t, "fails", s)
	b.push("a", "b", "c", "bad", "d")
	b.mustRun()
	b.want([][]string{{"a", "b", "c"}, {"a", "b"}, {"c"}, {"c"}, nil, nil, {"d"}}, []string{"RetryAttemptsExhausted 4-4 x1"})
}

func TestBisectWhereReported(t *testing.T) {
	s := defaults()
	s.BisectBatchOnFunctionError, s.ReportBatchItemFailures, s.MaximumRetryAttempts = true, true, 1
	b := newBench(t, "reports", s)
	b.push("a", "bad", "b", "c")
	b.mustRun()
	b.want([][]string{{"a", "b", "c"}, {"b", "c"}, {"b", "c"}}, []string{"RetryAttemptsExhausted 2-4 x2"})
}

func TestBackoffGrowsWhileNothingMoves(t *testing.T) {
	s := defaults()
	s.MaximumRetryAttempts = 4
	b := newBench(t, "fails", s)
	b.push("bad")
	b.mustRun()
	if diff := cmp.Diff([]int{1, 2, 3, 4}, b.backoffs); diff != "" {
		t.Errorf("waits by failures in a row:\n%s", diff)
	}
}

func TestTooOldRecordsAreGivenUpBeforeTheyAreDelivered(t *testing.T) {
	s := defaults()
	s.MaximumRecordAge = time.Hour
	b := newBench(t, "reports", s)
	now := b.arrival
	b.mapping.now = func() time.Time { return now }
	b.arrival = now.Add(-time.Hour - time.Millisecond)
	b.push("a", "b")
	b.arrival = now.Add(-time.Hour) // just old enough
	b.push("c")
	b.mustRun()
	b.want([][]string{{"c"}}, []string{"RecordAgeExceeded 1-2 x1"})
	if d := b.documents[0]; d.ResponseContext != nil || len(d.RequestContext.RequestID) != 36 {
		t.Errorf("request %+v and response %+v, want a request's id and no response", d.RequestContext, d.ResponseContext)
	}
}

func TestRecordsGrowTooOldBetweenRetries(t *testing.T) {
	s := defaults()
	s.MaximumRecordAge = time.Hour
	b := newBench(t, "fails", s)
	now := b.arrival
	b.mapping.now = func() time.Time { return now }
	b.mapping.config.Backoff = func(int) time.Duration { now = now.Add(25 * time.Minute); return 0 }
	b.push("bad", "a")
	b.mustRun()
	b.want([][]string{nil, nil, nil}, []string{"RecordAgeExceeded 1-2 x3"})
	if d := b.documents[0]; d.ResponseContext != nil || len(d.RequestContext.RequestID) != 36 {
		t.Errorf("request %+v and response %+v, want a request's id and no response", d.RequestContext, d.ResponseContext)
	}
}

func TestRecordsWithoutDestinationAreLostAloud(t *testing.T) {
	s := defaults()
	s.MaximumRetryAttempts = 0
	b := newBench(t, "fails", s)
	b.mapping.destination = nil
	b.push("bad")
	b.mustRun()
	if !strings.Contains(b.log.String(), "level=ERROR") || !strings.Contains(b.log.String(), "lost") {
		t.Errorf("log:\n%s", b.log.String())
	}
	if stats := b.mapping.Stats(); stats.Discarded != 1 || stats.Documents != 0 {
		t.Errorf("stats %+v", stats)
	}
}

func TestRecordsAreNotDoneUntilTheirDocumentIsSent(t *testing.T) {
	s := defaults()
	s.MaximumRetryAttempts = 0
	b := newBench(t, "fails", s)
	refused := errors.New("queue is gone")
	b.mapping.destination.send = func(context.Context, string, time.Time, []byte) error { return refused }
	b.push("bad")
	if err := b.run(); !errors.Is(err, refused) {
		t.Errorf("error %v, want %v", err, refused)
	}
	if got := b.shard.progress.at(); got != "" {
		t.Errorf("checkpoint %s, want none", got)
	}
}

func TestFunctionThatNeverStartsIsAnError(t *testing.T) {
	b := newBench(t, "exits at start", defaults())
	b.push("a")
	err := b.run()
	if err == nil || !strings.Contains(err.Error(), "never got ready") || !strings.Contains(err.Error(), "BOARD_TABLE is not set") {
		t.Errorf("error %v, want one with what the function printed", err)
	}
	if stats := b.mapping.Stats(); stats.Failed != 2 || stats.Done != 0 {
		t.Errorf("stats %+v", stats)
	}
}

func TestPayloadLimitCutsBatches(t *testing.T) {
	b := newBench(t, "reports", defaults())
	mega := strings.Repeat("x", 1<<20)
	b.push(mega, mega, mega, mega, mega, mega, "a")
	b.mustRun()
	// Four megabytes make 5.6 in base64.
	size := fmt.Sprint(1 << 20)
	b.want([][]string{{size, size, size, size}, {size, size, "a"}}, nil)
}

func TestBatchLengthLimits(t *testing.T) {
	records := func(n, bytes int) []record {
		records := make([]record, n)
		for i := range records {
			records[i].event = make([]byte, bytes)
		}
		return records
	}
	half := (maxPayloadBytes-len(eventPrefix)-len(eventSuffix))/2 - 1
	for _, test := range []struct {
		name     string
		records  []record
		size     int
		wantN    int
		wantFull bool
	}{
		{"none", nil, 3, 0, false},
		{"some", records(2, 1), 3, 2, false},
		{"batch size", records(3, 1), 3, 3, true},
		{"more", records(4, 1), 3, 3, true},
		{"just the payload limit", records(2, half), 3, 2, false},
		{"over the payload limit", records(3, half), 9, 2, true},
		{"one alone over the limit", records(1, maxPayloadBytes), 9, 1, false},
	} {
		if n, full := batchLength(test.records, test.size); n != test.wantN || full != test.wantFull {
			t.Errorf("%s: batchLength = %d, %v; want %d, %v", test.name, n, full, test.wantN, test.wantFull)
		}
	}
}

func TestGatherKeepsToTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := defaults()
		s.BatchingWindow, s.BatchSize = 10*time.Second, 3
		m := &Mapping{settings: s}
		l := &lane{mapping: m, wake: make(chan struct{}, 1)}
		start := time.Now()
		gather := func(wantRecords int, wantAfter time.Duration) {
			t.Helper()
			batch, err := l.gather(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(batch) != wantRecords || time.Since(start) != wantAfter {
				t.Errorf("%d records after %v, want %d after %v", len(batch), time.Since(start), wantRecords, wantAfter)
			}
		}
		//nolint:forbidigo // the time of a synctest bubble
		go func() {
			time.Sleep(5 * time.Second)
			l.push(make([]record, 1)) // at 5 s: the window begins
			time.Sleep(5 * time.Second)
			l.push(make([]record, 1)) // at 10 s
			time.Sleep(10 * time.Second)
			l.push(make([]record, 4)) // at 20 s: a full batch at once, and the next one's window begins
			time.Sleep(2 * time.Second)
			l.push(make([]record, 1)) // at 22 s
			l.close()                 // no more: the rest need not wait
		}()
		gather(2, 15*time.Second)
		gather(3, 20*time.Second)
		gather(2, 22*time.Second)
		gather(0, 22*time.Second)
	})
}

func TestGatherWithoutWindowTakesWhatIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &lane{mapping: &Mapping{settings: defaults()}, wake: make(chan struct{}, 1)}
		//nolint:forbidigo // the time of a synctest bubble
		go func() {
			time.Sleep(time.Second)
			l.push(make([]record, 7))
		}()
		start := time.Now()
		if batch, err := l.gather(t.Context()); err != nil || len(batch) != 7 || time.Since(start) != time.Second {
			t.Errorf("%d records after %v, %v; want 7 after 1 s", len(batch), time.Since(start), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := l.gather(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want that of the context", err)
		}
	})
}
