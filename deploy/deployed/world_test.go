package deployed

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cloudformationtypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
)

// world is an account of ministack's with a stream and a bucket of templates.
type world struct {
	t      *testing.T
	cfg    aws.Config
	bucket string
	stream string // ARN
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, cfg: servertest.Ministack(t)}
	w.stream = servertest.CreateStream(t, kinesis.NewFromConfig(w.cfg), "changes", 1)
	w.bucket = servertest.CreateBucket(t, w.s3())
	return w
}

func (w *world) s3() *s3.Client {
	return s3.NewFromConfig(w.cfg, func(o *s3.Options) { o.UsePathStyle = true })
}

// consumerTemplate is what SAM makes of a consumer's template, as far as it matters here. ministack can't run a Go binary
// that isn't there, so the function is some Python.
func consumerTemplate(code, outputs string) string {
	return `{"Parameters": {"StreamArn": {"Type": "String"}}, "Resources": {
		"DeadLetters": {"Type": "AWS::SQS::Queue"},
		"Function": {"Type": "AWS::Lambda::Function", "Properties": {"Runtime": "python3.12", "Handler": "index.handler", "Role": "arn:aws:iam::000000000000:role/r",
			"Code": {"ZipFile": "def handler(event, context):\n  ` + code + `\n"}}},
		"FunctionChanges": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {
			"FunctionName": {"Ref": "Function"}, "EventSourceArn": {"Ref": "StreamArn"}, "StartingPosition": "TRIM_HORIZON"}}
	}, "Outputs": {` + outputs + `}}`
}

func named(name string) string { return taking(name, "Scores") }

// taking are the outputs of a consumer with the tables whose changes it takes.
func taking(name, tables string) string {
	return `"Consumer": {"Value": "` + name + `"}, "DeadLetterQueue": {"Value": {"Ref": "DeadLetters"}}, "SourceTables": {"Value": "` + tables + `"}`
}

// nested is the resource of a stack in another one, of this template.
func (w *world) nested(template string) string {
	w.t.Helper()
	key := time.Now().Format("150405.000000000")
	if _, err := w.s3().PutObject(w.t.Context(), &s3.PutObjectInput{Bucket: &w.bucket, Key: &key, Body: strings.NewReader(template)}); err != nil {
		w.t.Fatal(err)
	}
	return `{"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "https://s3.amazonaws.com/` + w.bucket + `/` + key + `", "Parameters": {"StreamArn": "` + w.stream + `"}}}`
}

// deploy makes a stack of these resources.
func (w *world) deploy(name, resources string) {
	w.t.Helper()
	client := cloudformation.NewFromConfig(w.cfg)
	if _, err := client.CreateStack(w.t.Context(), &cloudformation.CreateStackInput{StackName: &name, TemplateBody: aws.String(`{"Resources": {` + resources + `}}`)}); err != nil {
		w.t.Fatal(err)
	}
	w.wait(client, name)
}

// deployConsumer makes a stack of a consumer's template alone.
func (w *world) deployConsumer(name, template string) {
	w.t.Helper()
	client := cloudformation.NewFromConfig(w.cfg)
	if _, err := client.CreateStack(w.t.Context(), &cloudformation.CreateStackInput{
		StackName: &name, TemplateBody: &template,
		Parameters: []cloudformationtypes.Parameter{{ParameterKey: aws.String("StreamArn"), ParameterValue: &w.stream}},
	}); err != nil {
		w.t.Fatal(err)
	}
	w.wait(client, name)
}

func (w *world) wait(client *cloudformation.Client, name string) {
	w.t.Helper()
	waiter := cloudformation.NewStackCreateCompleteWaiter(client, func(o *cloudformation.StackCreateCompleteWaiterOptions) {
		o.MinDelay, o.MaxDelay = 50*time.Millisecond, time.Second
	})
	if err := waiter.Wait(w.t.Context(), &cloudformation.DescribeStacksInput{StackName: &name}, time.Minute); err != nil {
		w.t.Fatal(err)
	}
}

// count puts values of a metric into CloudWatch.
func (w *world) count(namespace, metric, dimension, of string, at time.Time, values ...float64) {
	w.t.Helper()
	servertest.PutMetric(w.t, w.cfg, namespace, metric, dimension, of, at, values...)
}

// logs does with the leaderboard's own line of metrics what CloudWatch does on AWS: each metric that it declares is counted.
func (w *world) logs(at time.Time, outcomes ...error) {
	w.t.Helper()
	line := metricsOf(w.t, at, outcomes)
	var declared struct {
		AWS struct {
			Timestamp         int64
			CloudWatchMetrics []struct {
				Namespace  string
				Dimensions [][]string
				Metrics    []struct{ Name string }
			}
		} `json:"_aws"`
	}
	var values map[string]any
	for _, into := range []any{&declared, &values} {
		if err := json.Unmarshal(line, into); err != nil {
			w.t.Fatal(err)
		}
	}
	d := declared.AWS.CloudWatchMetrics[0]
	for _, m := range d.Metrics {
		var counted []float64
		switch v := values[m.Name].(type) {
		case float64:
			counted = append(counted, v)
		case []any:
			for _, one := range v {
				counted = append(counted, one.(float64))
			}
		}
		dimension := d.Dimensions[0][0]
		if len(counted) > 0 {
			w.count(d.Namespace, m.Name, dimension, values[dimension].(string), time.UnixMilli(declared.AWS.Timestamp), counted...)
		}
	}
}

// fixed is a consumer whose changes have these outcomes, in turn.
type fixed []error

func (f fixed) ApplyBatch(_ context.Context, batch []*change.Change) []error { return f[:len(batch)] }

type noLetters struct{}

func (noLetters) Keep(_ context.Context, letters []consumer.DeadLetter) []error {
	return make([]error, len(letters))
}

// metricsOf returns the line that a real consumer logs at a time for a batch with these outcomes, of changes that were made
// one, two, … seconds before.
func metricsOf(t *testing.T, at time.Time, outcomes []error) []byte {
	t.Helper()
	var records [][]byte
	for i := range outcomes {
		key := consumertest.Item{"Id": consumertest.N(strconv.Itoa(i))}
		records = append(records, consumertest.Change{Table: "T", Time: at.Add(-time.Duration(i+1) * time.Second), Keys: key, New: key}.Record())
	}
	const ever = 1 << 62 // the records are as old as consumertest makes them
	var metrics bytes.Buffer
	h := consumer.NewHandler("leaderboard", fixed(outcomes), noLetters{}, consumer.Settings{StuckAfter: ever, GiveUpAge: ever}, slog.New(slog.DiscardHandler), &metrics)
	h.Now = func() time.Time { return at }
	if _, err := h.Invoke(t.Context(), consumertest.Payload(0, records...)); err != nil {
		t.Fatal(err)
	}
	return metrics.Bytes()
}
