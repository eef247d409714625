package deployed

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/google/go-cmp/cmp"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumertest/wire"
)

// feed enables the Kinesis destination of a table.
func (w *world) feed(table string) {
	w.t.Helper()
	if _, err := dynamodb.NewFromConfig(w.cfg).EnableKinesisStreamingDestination(w.t.Context(), &dynamodb.EnableKinesisStreamingDestinationInput{
		TableName: &table, StreamArn: &w.stream,
		EnableKinesisStreamingConfiguration: &types.EnableKinesisStreamingConfiguration{ApproximateCreationDateTimePrecision: types.ApproximateCreationDateTimePrecisionMicrosecond},
	}); err != nil {
		w.t.Fatal(err)
	}
}

// untilNote makes something happen, and again, until a note has all the texts: times have whole seconds.
func (w *world) untilNote(stack string, now time.Time, happen func(), texts ...string) {
	w.t.Helper()
	deadline := time.After(time.Minute)
	for {
		happen()
		status := w.read(stack, now)
		for _, note := range status.Notes {
			found := true
			for _, text := range texts {
				found = found && strings.Contains(note, text)
			}
			if found {
				return
			}
		}
		select {
		case <-deadline:
			w.t.Fatalf("a minute has passed, and no note has all of %q:\n%s", texts, strings.Join(status.Notes, "\n"))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// A source that ended is told from one that is quiet, in each way in which a source ends.
func TestSourcesThatEnded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tables := dynamodb.NewFromConfig(w.cfg)
	for _, table := range []string{"Feeds", "Disabled", "Never", "Anew"} {
		servertest.CreateTable(t, tables, table, "Id")
	}
	for _, table := range []string{"Feeds", "Disabled", "Anew"} {
		w.feed(table)
	}
	if _, err := tables.DisableKinesisStreamingDestination(t.Context(), &dynamodb.DisableKinesisStreamingDestinationInput{TableName: aws.String("Disabled"), StreamArn: &w.stream}); err != nil {
		t.Fatal(err)
	}
	w.deployConsumer("scores", consumerTemplate("return {}", taking("leaderboard", "Feeds,Disabled,Never,Gone,Anew")))
	now := time.Now()
	status := w.read("scores", now)
	want := []Source{{"Feeds", w.stream, "ACTIVE"}, {"Disabled", w.stream, "DISABLED"}, {"Never", w.stream, NoDestination}, {"Gone", w.stream, NoTable}, {"Anew", w.stream, "ACTIVE"}}
	if diff := cmp.Diff(want, status.Sources); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
	wantNote(t, status, "table Disabled: its Kinesis destination on stream changes is DISABLED", "The consumer missed changes")
	wantNote(t, status, "table Never has no Kinesis destination on stream changes", "The consumer missed changes")
	wantNote(t, status, "table Gone isn't there", "The consumer missed changes")
	for _, note := range status.Notes {
		if strings.Contains(note, "Feeds") || strings.Contains(note, "Anew") || strings.Contains(note, "mapping is disabled") {
			t.Errorf("all is well with this, but a note says: %s", note)
		}
	}

	w.untilNote("scores", now, func() {
		if _, err := tables.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: aws.String("Anew")}); err != nil {
			t.Fatal(err)
		}
		servertest.CreateTable(t, tables, "Anew", "Id")
	}, "table Anew was made at", "the mapping of leaderboard", "still has that table's items")

	if _, err := lambda.NewFromConfig(w.cfg).UpdateEventSourceMapping(t.Context(), &lambda.UpdateEventSourceMappingInput{
		UUID: &status.Consumers[0].Mappings[0].ID, Enabled: aws.Bool(false), MaximumRecordAgeInSeconds: aws.Int32(3600),
	}); err != nil {
		t.Fatal(err)
	}
	w.until("scores", "leaderboard", now, func(c Consumer) bool { return c.State == "Disabled" })
	status = w.read("scores", now)
	wantNote(t, status, "leaderboard: its mapping is disabled since", "the stream forgets the first change that it has not read at")
	wantNote(t, status, "leaderboard: Lambda gives up changes that are older than 1h0m0s, though stream changes keeps them for 24h0m0s")
	wantNote(t, w.read("scores", now.Add(25*time.Hour)), "longer than stream changes keeps a change (24h0m0s): changes are lost", "The consumer missed changes")

	streams := kinesis.NewFromConfig(w.cfg)
	w.untilNote("scores", now, func() {
		if _, err := streams.DeleteStream(t.Context(), &kinesis.DeleteStreamInput{StreamARN: &w.stream}); err != nil {
			t.Fatal(err)
		}
		servertest.CreateStream(t, streams, "changes", 1)
	}, "stream changes was made at", "after the mapping of leaderboard was last changed")
	if _, err := streams.DeleteStream(t.Context(), &kinesis.DeleteStreamInput{StreamARN: &w.stream}); err != nil {
		t.Fatal(err)
	}
	w.untilNote("scores", now, func() {}, "stream changes, which leaderboard reads, is gone")
}

// denying refuses the calls of some operations of DynamoDB and Kinesis, and lets all others through.
type denying []string

func (d denying) RoundTrip(request *http.Request) (*http.Response, error) {
	_, operation, _ := strings.Cut(request.Header.Get("X-Amz-Target"), ".")
	if !slices.Contains(d, operation) {
		return http.DefaultTransport.RoundTrip(request)
	}
	body := []byte(`{"__type": "AccessDeniedException", "message": "not authorized to perform ` + operation + `"}`)
	return wire.Answer(request, http.StatusBadRequest, http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, body), nil
}

// Unknown is never shown as well.
func TestSourcesThatAreNotKnown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	servertest.CreateTable(t, dynamodb.NewFromConfig(w.cfg), "Scores", "Id")
	w.deployConsumer("scores", consumerTemplate("return {}", named("leaderboard")))
	w.cfg.HTTPClient = &http.Client{Transport: denying{"DescribeKinesisStreamingDestination", "DescribeTable", "DescribeStreamSummary"}}
	status := w.read("scores", time.Now())
	if want := []Source{{"Scores", w.stream, Unknown}}; !slices.Equal(status.Sources, want) {
		t.Errorf("sources %+v, want %+v", status.Sources, want)
	}
	wantNote(t, status, "table Scores: the state of its Kinesis destination can't be read", "AccessDeniedException: not authorized")
	wantNote(t, status, "table Scores can't be looked at")
	wantNote(t, status, "stream changes can't be looked at, so its retention isn't known")

	w.deployConsumer("old", consumerTemplate("return {}", `"Consumer": {"Value": "leaderboard"}`))
	wantNote(t, w.read("old", time.Now()), "stack old has no output SourceTables")
}
