package deployed

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go/encoding/cbor"
	"github.com/google/go-cmp/cmp"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumer"
	"sluice/shared/consumertest/wire"
)

// read reads the status of a stack.
func (w *world) read(stack string, now time.Time) Status {
	w.t.Helper()
	status, err := Read(w.t.Context(), w.cfg, []string{stack}, now)
	if err != nil {
		w.t.Fatal(err)
	}
	return status
}

// until reads the status until a consumer is as it should be.
func (w *world) until(stack, name string, now time.Time, ok func(Consumer) bool) Status {
	w.t.Helper()
	deadline := time.After(time.Minute)
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		status := w.read(stack, now)
		if c := status.consumer(name); c != nil && ok(*c) {
			return status
		}
		select {
		case <-again.C:
		case <-deadline:
			w.t.Fatalf("a minute has passed, and it is %+v", status)
		}
	}
}

func (s Status) consumer(name string) *Consumer {
	for i := range s.Consumers {
		if s.Consumers[i].Name == name {
			return &s.Consumers[i]
		}
	}
	return nil
}

func (w *world) put() {
	w.t.Helper()
	if _, err := kinesis.NewFromConfig(w.cfg).PutRecord(w.t.Context(), &kinesis.PutRecordInput{
		StreamARN: &w.stream, PartitionKey: aws.String("k"), Data: []byte("{}"),
	}); err != nil {
		w.t.Fatal(err)
	}
}

func wantNote(t *testing.T, s Status, texts ...string) {
	t.Helper()
	for _, note := range s.Notes {
		found := true
		for _, text := range texts {
			found = found && strings.Contains(note, text)
		}
		if found {
			return
		}
	}
	t.Errorf("no note has all of %q:\n%s", texts, strings.Join(s.Notes, "\n"))
}

// Consumers at every depth are found, each with the state that Lambda gives its mapping, what Lambda and the consumer itself
// count, and its dead letters; what isn't known is nil, with the reason.
func TestStatusOfNestedStacks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	inner := `{"Parameters": {"StreamArn": {"Type": "String"}}, "Resources": {"Search": ` + w.nested(consumerTemplate("raise Exception('no cluster')", named("search"))) + `}}`
	w.deploy("game",
		`"Leaderboard": `+w.nested(consumerTemplate("return {}", named("leaderboard")))+
			`, "More": `+w.nested(inner)+
			`, "Badges": `+w.nested(consumerTemplate("return {}", named("badges")))+
			`, "Old": `+w.nested(consumerTemplate("return {}", `"Other": {"Value": "x"}`))+
			`, "Nothing": `+w.nested(`{"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}`))
	begin := time.Now()
	now := begin.Add(time.Minute)
	first := w.read("game", now)
	if len(first.Consumers) != 4 {
		t.Fatalf("found %+v, want 4 consumers", first.Consumers)
	}
	mappings := lambda.NewFromConfig(w.cfg)
	if _, err := mappings.UpdateEventSourceMapping(t.Context(), &lambda.UpdateEventSourceMappingInput{UUID: &first.consumer("badges").Mappings[0].ID, Enabled: aws.Bool(false)}); err != nil {
		t.Fatal(err)
	}
	old := first.Consumers[1]
	if old.Stack != old.Name || !strings.HasPrefix(old.Name, "game-Old") {
		t.Fatalf("the second by name is %+v, want that of stack game-Old", old)
	}
	if _, err := mappings.DeleteEventSourceMapping(t.Context(), &lambda.DeleteEventSourceMappingInput{UUID: &old.Mappings[0].ID}); err != nil {
		t.Fatal(err)
	}
	w.put()
	letters := sqs.NewFromConfig(w.cfg)
	for range 2 {
		if _, err := letters.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &first.consumer("search").queue, MessageBody: aws.String("x")}); err != nil {
			t.Fatal(err)
		}
	}
	function := first.consumer("leaderboard").Function
	w.count("AWS/Lambda", "IteratorAge", "FunctionName", function, begin.Add(-2*time.Minute), 9000)
	w.count("AWS/Lambda", "IteratorAge", "FunctionName", function, begin.Add(-time.Minute), 1000, 4000)
	w.count("AWS/Lambda", "IteratorAge", "FunctionName", "another", begin, 77_000)
	// ministack counts only what its API invokes, not its mappings.
	w.count("AWS/Lambda", "Invocations", "FunctionName", function, begin.Add(-time.Minute), 1, 1)
	w.count("AWS/Lambda", "Invocations", "FunctionName", function, begin, 1)
	w.count("AWS/Lambda", "Errors", "FunctionName", function, begin, 1)
	for _, metric := range []string{"Invocations", "Errors"} {
		w.count("AWS/Lambda", metric, "FunctionName", first.consumer("search").Function, begin, 4)
	}
	w.count("AWS/Kinesis", "IncomingRecords", "StreamName", "changes", begin, 7)
	w.logs(begin.Add(-time.Minute), nil, consumer.Duplicate, consumer.Stale, consumer.Skip, consumer.Reject(errors.New("bad")), errors.New("throttled"))
	w.logs(begin, nil, consumer.Duplicate, nil)
	w.logs(begin.Add(-10*time.Minute), nil, nil, nil) // too old
	w.logs(now, consumer.Skip, consumer.Skip)         // in a minute that isn't over

	w.until("game", "leaderboard", now, func(c Consumer) bool { return c.Mappings[0].Result == "OK - 1 records" })
	status := w.until("game", "search", now, func(c Consumer) bool { return c.State == Retrying })

	got := *status.consumer("leaderboard")
	want := got
	want.Name, want.State, want.Done, want.Rate = "leaderboard", "Enabled", aws.Int(8), aws.Float64(8.0/300)
	want.Invocations, want.Failed, want.DeadLetters, want.MillisBehind = aws.Int(3), aws.Int(1), aws.Int(0), aws.Int(4000)
	want.Lag = &Lag{Median: 2000, Longest: 3000, At: begin.Truncate(time.Minute).UTC()}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(Consumer{}, Mapping{})); diff != "" {
		t.Errorf("leaderboard (-want +got):\n%s", diff)
	}
	if got := *status.consumer("search"); *got.Failed != 4 || *got.Invocations != 4 || *got.DeadLetters != 2 || *got.Done != 0 || got.MillisBehind != nil || got.Lag != nil {
		t.Errorf("search %+v, want every invocation to have failed, two dead letters and nothing done", got)
	}
	wantNote(t, status, "search: the last batch failed and comes again: FAILED")
	wantNote(t, status, "BEHIND and LAG are known only of consumers that got changes in the last 5 minutes")
	if got := *status.consumer("badges"); got.State != "Disabled" || *got.Invocations != 0 || *got.Done != 0 {
		t.Errorf("badges %+v, want it disabled and nothing done", got)
	}
	wantNote(t, status, "badges: its mapping is disabled", "aws lambda update-event-source-mapping --uuid "+first.consumer("badges").Mappings[0].ID+" --enabled --region us-east-1")
	wantNote(t, status, "badges takes nothing, though 7 changes came into stream changes in the last 5 minutes")
	if got := *status.consumer(old.Name); got.State != NoMapping || got.Done != nil || got.DeadLetters != nil {
		t.Errorf("the consumer of an older template %+v, want no mapping, and neither done nor dead letters known", got)
	}
	wantNote(t, status, old.Stack+" has no event source mapping", "deploy the stack again")
	wantNote(t, status, "has no output Consumer")
	wantNote(t, status, "has no output DeadLetterQueue")
	for _, note := range status.Notes {
		if strings.Contains(note, "leaderboard") {
			t.Errorf("all is well with leaderboard, but a note says: %s", note)
		}
	}
}

// A function that works but whose metrics can't be found has done something, nobody knows how much.
func TestMetricsOfAnotherNameAreNotNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deployConsumer("scores", consumerTemplate("return {}", named("leaderbord")))
	begin := time.Now()
	w.logs(begin, nil)
	w.count("AWS/Lambda", "Invocations", "FunctionName", w.read("scores", begin).Consumers[0].Function, begin, 1)
	status := w.read("scores", begin.Add(time.Minute))
	if c := status.Consumers[0]; c.Done != nil || c.Rate != nil {
		t.Errorf("%+v, want it not known what is done", c)
	}
	wantNote(t, status, "there are no metrics of a consumer leaderbord")
}

// refusing refuses calls of one operation as CloudWatch does, and lets all others through.
type refusing struct{ operation string }

func (r refusing) RoundTrip(request *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(request.URL.Path, "/operation/"+r.operation) {
		return http.DefaultTransport.RoundTrip(request)
	}
	body := cbor.Encode(cbor.Map{"__type": cbor.String("AccessDenied"), "message": cbor.String("not authorized to perform: cloudwatch:" + r.operation)})
	header := http.Header{"Content-Type": {"application/cbor"}, "Smithy-Protocol": {"rpc-v2-cbor"}}
	return wire.Answer(request, http.StatusForbidden, header, bytes.Clone(body)), nil
}

// Who may not read metrics sees all the rest, and that they may not.
func TestRefusedMetrics(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deployConsumer("scores", consumerTemplate("return {}", named("leaderboard")))
	w.cfg.HTTPClient = &http.Client{Transport: refusing{"GetMetricData"}}
	status := w.read("scores", time.Now())
	if c := status.Consumers[0]; c.State != "Enabled" || *c.DeadLetters != 0 || c.Invocations != nil || c.Failed != nil || c.Done != nil {
		t.Errorf("%+v, want state and dead letters only", c)
	}
	wantNote(t, status, "CloudWatch tells nothing, so there are no counts: AccessDenied: not authorized to perform: cloudwatch:GetMetricData")
}

// asked notes the calls for metrics that pass.
type asked struct{ bodies [][]byte }

func (a *asked) RoundTrip(request *http.Request) (*http.Response, error) {
	if strings.HasSuffix(request.URL.Path, "/operation/GetMetricData") {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return nil, err
		}
		a.bodies = append(a.bodies, body)
		request.Body = io.NopCloser(bytes.NewReader(body))
	}
	return http.DefaultTransport.RoundTrip(request)
}

// Each call and each metric costs money whenever somebody looks.
func TestCloudWatchIsAskedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deploy("game", `"Search": `+w.nested(consumerTemplate("return {}", named("search")))+`, "Badges": `+w.nested(consumerTemplate("return {}", named("badges"))))
	calls := &asked{}
	w.cfg.HTTPClient = &http.Client{Transport: calls}
	w.read("game", time.Now())
	if len(calls.bodies) != 1 {
		t.Fatalf("CloudWatch was asked %d times, want once", len(calls.bodies))
	}
	if metrics := bytes.Count(calls.bodies[0], []byte("MetricName")); metrics != 2*7+1 {
		t.Errorf("asked for %d metrics, want seven of each consumer and one of the stream", metrics)
	}
}

func TestStacksThatAreNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deploy("queue", `"Function": {"Type": "AWS::SQS::Queue"}, "Helper": {"Type": "AWS::Lambda::Function", "Properties": {"Runtime": "python3.12",
		"Handler": "index.handler", "Role": "arn:aws:iam::000000000000:role/r", "Code": {"ZipFile": "x = 1\n"}}}`)
	for _, c := range []struct {
		stack, region string
		texts         []string
	}{
		{"nosuch", servertest.Region, []string{"look up stack nosuch in region us-east-1", "does not exist", `"aws cloudformation list-stacks --region us-east-1"`, "AWS_REGION and AWS_PROFILE"}},
		{"queue", "eu-west-1", []string{"look up stack queue in region eu-west-1", "does not exist"}},
		{"queue", servertest.Region, []string{"stack queue (CREATE_COMPLETE) has no consumer", "no function that is called Function", "consumers/leaderboard/template.yaml"}},
	} {
		cfg := w.cfg
		cfg.Region = c.region
		_, err := Read(t.Context(), cfg, []string{c.stack}, time.Now())
		if err == nil {
			t.Errorf("stack %s in %s was read", c.stack, c.region)
			continue
		}
		for _, text := range c.texts {
			if !strings.Contains(err.Error(), text) {
				t.Errorf("stack %s in %s: error %q has no %q", c.stack, c.region, err, text)
			}
		}
	}
}

func TestStreamName(t *testing.T) {
	for arn, want := range map[string]string{
		"arn:aws:kinesis:us-east-1:000000000000:stream/changes":                   "changes",
		"arn:aws:kinesis:us-east-1:000000000000:stream/changes/consumer/search:1": "changes",
		"": "",
	} {
		if got := streamName(arn); got != want {
			t.Errorf("the stream of %q is %q, want %q", arn, got, want)
		}
	}
}
