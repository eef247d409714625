package mapping

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	kinesistypes "github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"sluice/deploy/local/mapping/function"
	"sluice/deploy/local/parttest"
	"sluice/deploy/local/servers/servertest"
	"sluice/deploy/local/template"
)

// world is a stream of its own on the real server, and a mapping that reads it.
type world struct {
	t       *testing.T
	kinesis *kinesis.Client
	sqs     *sqs.Client
	s3      *s3.Client
	stream  string // ARN
	ledger  string
	log     parttest.Log
}

func newWorld(t *testing.T, shards int32) *world {
	t.Helper()
	config := servertest.Ministack(t)
	w := &world{
		t: t, kinesis: kinesis.NewFromConfig(config), sqs: sqs.NewFromConfig(config),
		s3:     s3.NewFromConfig(config, func(o *s3.Options) { o.UsePathStyle = true }),
		ledger: filepath.Join(t.TempDir(), "ledger"),
	}
	w.stream = servertest.CreateStream(t, w.kinesis, "changes", shards)
	return w
}

func (w *world) mapping(behaviour string, settings template.KinesisMapping, change func(*Config)) *Mapping {
	w.t.Helper()
	settings.Stream = w.stream
	config := Config{
		Function: testFunction(behaviour, w.ledger), Settings: settings,
		Kinesis: w.kinesis, SQS: w.sqs, S3: w.s3, Log: w.log.Logger(),
		Backoff:      func(int) time.Duration { return time.Millisecond },
		PollInterval: 20 * time.Millisecond,
	}
	if change != nil {
		change(&config)
	}
	m, err := New(config)
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

// put writes records of keys k0 to k9 in turn, numbered from first on, and returns them as the ledger has them.
func (w *world) put(first, n int) []string {
	w.t.Helper()
	var lines []string
	for n > 0 {
		var entries []kinesistypes.PutRecordsRequestEntry
		for range min(n, 500) {
			key, data := fmt.Sprint("k", first%10), fmt.Sprint("r", first)
			lines = append(lines, key+" "+data)
			entries = append(entries, kinesistypes.PutRecordsRequestEntry{PartitionKey: &key, Data: []byte(data)})
			first++
			n--
		}
		if out, err := w.kinesis.PutRecords(w.t.Context(), &kinesis.PutRecordsInput{StreamARN: &w.stream, Records: entries}); err != nil || aws.ToInt32(out.FailedRecordCount) != 0 {
			w.t.Fatalf("put: %v, %+v", err, out)
		}
	}
	return lines
}

// run runs the mapping until ok says so.
func (w *world) run(m *Mapping, ok func(Stats) bool) {
	w.t.Helper()
	parttest.RunUntil(w.t, m, &w.log, ok)
}

// checkDelivered compares what the function has processed with what was written: everything at least once, and the first time in
// the order of its key.
func (w *world) checkDelivered(written []string) (times map[string]int) {
	w.t.Helper()
	times = map[string]int{}
	order := map[string][]string{}
	for _, invocation := range readLedger(w.t, w.ledger) {
		for _, line := range invocation {
			if times[line]++; times[line] == 1 {
				key, _, _ := strings.Cut(line, " ")
				order[key] = append(order[key], line)
			}
		}
	}
	want := map[string][]string{}
	for _, line := range written {
		key, _, _ := strings.Cut(line, " ")
		want[key] = append(want[key], line)
	}
	if diff := cmp.Diff(want, order); diff != "" {
		w.t.Errorf("first deliveries, by key (-want +got):\n%s", diff)
	}
	return times
}

func TestEveryRecordIsDeliveredOnce(t *testing.T) {
	w := newWorld(t, 3)
	parttest.NoLeaks(t)
	s := defaults()
	s.ParallelizationFactor, s.BatchSize, s.ReportBatchItemFailures = 2, 50, true
	written := w.put(0, 1000)
	m := w.mapping("reports", s, nil)
	w.run(m, func(s Stats) bool { return s.Read == 1000 && s.Idle() })
	for line, n := range w.checkDelivered(written) {
		if n != 1 {
			t.Errorf("%s was delivered %d times", line, n)
		}
	}
	stats := m.Stats()
	if stats.Done != 1000 || stats.Delivered != 1000 || stats.Failed != 0 || len(stats.Shards) != 3 {
		t.Errorf("stats %+v", stats)
	}
}

// TestRecordsSurviveKills kills the function during a third of its invocations. Every record is processed all the same, and
// no checkpoint passes one that was not.
func TestRecordsSurviveKills(t *testing.T) {
	w := newWorld(t, 2)
	parttest.NoLeaks(t)
	s := defaults()
	s.ParallelizationFactor, s.BatchSize, s.ReportBatchItemFailures, s.BisectBatchOnFunctionError = 2, 25, true, true
	written := w.put(0, 600)
	const seed = 42
	m := w.mapping("slow", s, func(c *Config) { c.Chaos = Chaos{Kill: 0.35, Seed: seed} })
	w.run(m, func(s Stats) bool { return s.Read == 600 && s.Idle() })
	w.checkDelivered(written)
	stats := m.Stats()
	if stats.Failed == 0 || stats.Failed > stats.Killed || stats.Delivered <= 600 {
		t.Errorf("seed %d: %+v: want some killed, and nothing else failed", seed, stats)
	}
	w.checkCheckpoints(m, written)
}

// checkCheckpoints fails if a shard's checkpoint is behind its last record, or a record before it was not processed.
func (w *world) checkCheckpoints(m *Mapping, written []string) {
	w.t.Helper()
	processed := w.checkDelivered(written)
	for _, shard := range m.Stats().Shards {
		iterator, err := w.kinesis.GetShardIterator(w.t.Context(), &kinesis.GetShardIteratorInput{
			StreamARN: &w.stream, ShardId: &shard.ID, ShardIteratorType: kinesistypes.ShardIteratorTypeTrimHorizon,
		})
		if err != nil {
			w.t.Fatal(err)
		}
		out, err := w.kinesis.GetRecords(w.t.Context(), &kinesis.GetRecordsInput{ShardIterator: iterator.ShardIterator})
		if err != nil {
			w.t.Fatal(err)
		}
		for i, r := range out.Records {
			if *r.SequenceNumber <= shard.Checkpoint && processed[*r.PartitionKey+" "+string(r.Data)] == 0 {
				w.t.Errorf("shard %s: checkpoint %s has passed record %d, which was not processed", shard.ID, shard.Checkpoint, i)
			}
		}
	}
}

// TestRunGoesOnFromTheCheckpoint ends Run again and again in the middle of things.
func TestRunGoesOnFromTheCheckpoint(t *testing.T) {
	w := newWorld(t, 2)
	parttest.NoLeaks(t)
	s := defaults()
	s.ParallelizationFactor, s.BatchSize, s.ReportBatchItemFailures = 3, 10, true
	written := w.put(0, 900)
	m := w.mapping("slow", s, nil)
	for stop := int64(100); stop < 600; stop += 100 {
		w.run(m, func(s Stats) bool { return s.Done >= stop })
		if stats := m.Stats(); stats.Idle() || stats.MillisBehind != -1 {
			t.Errorf("stopped, but %+v seems idle", stats)
		}
		for _, shard := range m.Stats().Shards {
			if shard.Ended {
				t.Errorf("shard %s has not ended", shard.ID)
			}
		}
	}
	w.run(m, func(s Stats) bool { return s.Read == 900 && s.Idle() })
	w.checkCheckpoints(m, written)
	if stats := m.Stats(); stats.Done != 900 {
		t.Errorf("stats %+v, want 900 done", stats)
	}
}

func TestLatestSkipsWhatWasThere(t *testing.T) {
	w := newWorld(t, 1)
	w.put(0, 10)
	s := defaults()
	s.StartingPosition = template.Latest
	m := w.mapping("reports", s, nil)
	var later []string
	w.run(m, func(s Stats) bool {
		if later == nil && s.Idle() {
			later = w.put(10, 10)
		}
		return s.Read >= 10 && s.Idle()
	})
	w.checkDelivered(later)
}

// TestReshard reads on in the children of a shard that was split. ministack drops the parent at once, which Kinesis does not, so it is
// split after it has been read.
func TestReshard(t *testing.T) {
	w := newWorld(t, 1)
	written := w.put(0, 50)
	s := defaults()
	m := w.mapping("reports", s, nil)
	split := false
	w.run(m, func(s Stats) bool {
		if !split && s.Done == 50 {
			split = true
			if _, err := w.kinesis.SplitShard(t.Context(), &kinesis.SplitShardInput{
				StreamARN: &w.stream, ShardToSplit: aws.String("shardId-000000000000"), NewStartingHashKey: aws.String("170141183460469231731687303715884105728"),
			}); err != nil {
				t.Error(err)
			}
			written = append(written, w.put(50, 50)...)
		}
		return s.Done == 100 && s.Idle()
	})
	w.checkDelivered(written)
	var ended []bool
	for _, shard := range m.Stats().Shards {
		ended = append(ended, shard.Ended)
	}
	if !slices.Equal(ended, []bool{true, false, false}) {
		t.Errorf("shards ended: %v, want the parent alone", ended)
	}
}

// Fails for a mapping that reads on where it stood in another stream, or falls silent.
func TestStreamMadeAnewIsReadFromItsBeginning(t *testing.T) {
	w := newWorld(t, 2)
	parttest.NoLeaks(t)
	written := w.put(0, 20)
	m := w.mapping("reports", defaults(), nil)
	deleted, remade := false, false
	w.run(m, func(s Stats) bool {
		switch {
		case !deleted && s.Done == 20:
			deleted = true
			if _, err := w.kinesis.DeleteStream(t.Context(), &kinesis.DeleteStreamInput{StreamARN: &w.stream}); err != nil {
				t.Error(err)
			}
		case deleted && !remade && strings.Contains(s.Notice, "was deleted"):
			if s.Idle() {
				t.Errorf("a mapping without a stream seems idle: %+v", s)
			}
			remade = true
			servertest.CreateStream(t, w.kinesis, "changes", 2)
			written = append(written, w.put(20, 5)...)
		}
		return remade && strings.Contains(s.Notice, "became another one") && s.Done >= 25 && s.Idle()
	})
	w.checkDelivered(written)
}

// frozen holds requests for as long as it is told to.
type frozen struct {
	next kinesis.HTTPClient
	hold atomic.Pointer[chan struct{}]
}

func (f *frozen) Do(r *http.Request) (*http.Response, error) {
	if hold := f.hold.Load(); hold != nil {
		select {
		case <-*hold:
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	return f.next.Do(r)
}

// Fails for a mapping that goes on telling what it knew before its stream fell silent.
func TestSilentStreamIsUnknown(t *testing.T) {
	w := newWorld(t, 1)
	written := w.put(0, 10)
	f := &frozen{next: w.kinesis.Options().HTTPClient}
	m := w.mapping("reports", defaults(), func(c *Config) {
		c.Kinesis = kinesis.New(w.kinesis.Options(), func(o *kinesis.Options) { o.HTTPClient = f })
	})
	var late atomic.Int64 // how far the mapping's clock is ahead
	m.now = func() time.Time { return time.Now().Add(time.Duration(late.Load())) }
	hold := make(chan struct{})
	frozen, known := false, true
	w.run(m, func(s Stats) bool {
		switch {
		case !frozen && s.Done == 10 && s.Idle():
			frozen = true
			f.hold.Store(&hold)
			late.Store(int64(time.Minute))
		case frozen && known && s.State == Unknown:
			if s.MillisBehind != unread || !strings.Contains(s.Problem, "Kinesis doesn't answer") || s.Idle() {
				t.Errorf("silent, but %+v", s)
			}
			known = false
			f.hold.Store(nil)
			close(hold)
			written = append(written, w.put(10, 10)...)
		}
		return !known && s.State == Enabled && s.Done == 20 && s.Idle()
	})
	w.checkDelivered(written)
}

func TestDocumentGoesToTheQueue(t *testing.T) {
	w := newWorld(t, 1)
	queue, err := w.sqs.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("dead-letters")})
	if err != nil {
		t.Fatal(err)
	}
	attributes, err := w.sqs.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: queue.QueueUrl, AttributeNames: []sqstypes.QueueAttributeName{"QueueArn"}})
	if err != nil {
		t.Fatal(err)
	}
	written := w.put(0, 3)
	w.putBad()
	s := defaults()
	s.ReportBatchItemFailures, s.MaximumRetryAttempts = true, 1
	s.OnFailure = &template.OnFailure{Type: "SQS", Destination: attributes.Attributes["QueueArn"]}
	m := w.mapping("reports", s, nil)
	w.run(m, func(s Stats) bool { return s.Done == 4 && s.Idle() })
	w.checkDelivered(written)

	next, stop := iter.Pull(servertest.Receive(t, w.sqs, *queue.QueueUrl))
	defer stop()
	body, _ := next()
	var doc document
	if err := json.Unmarshal([]byte(body), &doc); err != nil {
		t.Fatal(err)
	}
	info := doc.KinesisBatchInfo
	if info.StreamARN != w.stream || info.BatchSize != 1 || info.EndSequenceNumber != m.Stats().Shards[0].Checkpoint || doc.Payload != "" {
		t.Errorf("document %s", body)
	}
}

func (w *world) putBad() {
	w.t.Helper()
	if _, err := w.kinesis.PutRecord(w.t.Context(), &kinesis.PutRecordInput{StreamARN: &w.stream, PartitionKey: aws.String("k"), Data: []byte("bad")}); err != nil {
		w.t.Fatal(err)
	}
}

func TestDocumentGoesToTheBucketWithTheRecords(t *testing.T) {
	w := newWorld(t, 1)
	bucket := servertest.CreateBucket(t, w.s3)
	w.putBad()
	s := defaults()
	s.MaximumRetryAttempts = 0
	s.OnFailure = &template.OnFailure{Type: "S3", Destination: "arn:aws:s3:::" + bucket}
	m := w.mapping("fails", s, nil)
	w.run(m, func(s Stats) bool { return s.Done == 1 })
	list, err := w.s3.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket})
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Contents) != 1 || !strings.HasPrefix(*list.Contents[0].Key, "aws/lambda/"+m.uuid+"/shardId-000000000000/2") {
		t.Fatalf("objects %+v, want one", list.Contents)
	}
	object, err := w.s3.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: list.Contents[0].Key})
	if err != nil {
		t.Fatal(err)
	}
	defer object.Body.Close()
	body, err := io.ReadAll(object.Body)
	if err != nil {
		t.Fatal(err)
	}
	var doc document
	var event struct {
		Records []struct{ Kinesis struct{ Data []byte } }
	}
	if err := json.Unmarshal(body, &doc); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(doc.Payload), &event); err != nil || len(event.Records) != 1 || string(event.Records[0].Kinesis.Data) != "bad" {
		t.Errorf("payload %s, %v; want the whole event", doc.Payload, err)
	}
}

func TestRunNamesWhatIsMissing(t *testing.T) {
	w := newWorld(t, 1)
	s := defaults()
	for name, test := range map[string]struct {
		change    func(*Config)
		want      string
		onFailure *template.OnFailure
	}{
		"stream": {func(c *Config) { c.Settings.Stream += "-gone" }, "does not exist", nil},
		"queue":  {nil, "dead-letters does not exist", &template.OnFailure{Type: "SQS", Destination: "arn:aws:sqs:us-east-1:000000000000:dead-letters"}},
		"bucket": {nil, "on-failure bucket arn:aws:s3:::no-such-bucket-here", &template.OnFailure{Type: "S3", Destination: "arn:aws:s3:::no-such-bucket-here"}},
	} {
		s.OnFailure = test.onFailure
		err := w.mapping("reports", s, test.change).Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", name, err, test.want)
		}
	}
}

func TestDisabledMappingReadsNothing(t *testing.T) {
	w := newWorld(t, 1)
	w.put(0, 1)
	s := defaults()
	s.Enabled = false
	m := w.mapping("reports", s, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := m.Run(ctx); err != nil {
		t.Error(err)
	}
	if stats := m.Stats(); stats.Read != 0 || stats.State != Disabled || !strings.Contains(w.log.String(), "disabled") {
		t.Errorf("stats %+v; log:\n%s", stats, w.log.String())
	}
}

func TestSettingsAreChecked(t *testing.T) {
	_, err := New(Config{
		Function: function.Config{Name: "x"}, Chaos: Chaos{Kill: 2},
		Settings: template.KinesisMapping{
			BatchSize: 0, BatchingWindow: time.Hour, ParallelizationFactor: 11, MaximumRetryAttempts: -2, StartingPosition: "START",
			OnFailure: &template.OnFailure{Type: "SNS", Destination: "arn:x"},
		},
	})
	for _, want := range []string{"Binary", " ARN = ", "Kinesis", "Stream = ", "BatchSize", "BatchingWindow", "ParallelizationFactor", "MaximumRetryAttempts", "StartingPosition", "Chaos.Kill", "SNS"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name %s: %v", want, err)
		}
	}
}
