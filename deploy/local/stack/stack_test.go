package stack_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"sluice/deploy/local/servers"
	"sluice/deploy/local/stack"
	"sluice/deploy/local/template"
	"sluice/shared/consumertest/proof"
)

// root is the checkout that the tests run.
const root = "../../.."

// daemonRole makes the test binary the process that Up starts: the run directory, then the consumers.
const daemonRole = "STACK_TEST_DAEMON"

func TestMain(m *testing.M) {
	if len(os.Args) >= 3 && os.Args[1] == daemonRole {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		o := options(os.Args[2], os.Args[3:]...)
		o.Progress = func(format string, args ...any) { fmt.Printf(format+"\n", args...) }
		if err := stack.Serve(ctx, o); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// options are for a stack with some consumers, or with all if none is named. One without search needs no OpenSearch, which
// takes longer to start than all the rest.
func options(runDir string, consumers ...string) stack.Options {
	return stack.Options{Root: root, Consumers: consumers, RunDir: runDir, Region: "eu-central-1"}
}

func start(t *testing.T, o stack.Options) *stack.Stack {
	t.Helper()
	o.Progress = t.Logf
	s, err := stack.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// drain waits until nothing is under way in the stack.
func drain(t *testing.T, s *stack.Stack) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := s.Drain(ctx); err != nil {
		t.Fatal(err)
	}
}

// eventually waits for a condition that another process or goroutine makes true.
func eventually(t *testing.T, what string, met func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for !met() {
		select {
		case <-again.C:
		case <-deadline:
			t.Fatalf("not within 30 s: %s", what)
		}
	}
}

func TestStackCarriesAChangeToItsConsumer(t *testing.T) {
	dir := t.TempDir()
	s := start(t, options(dir))
	info := s.Info()
	db := dynamodb.NewFromConfig(info.DynamoDB())

	if _, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{
		TableName: new(info.Outputs["game"]["ScoreTable"]),
		Item: map[string]types.AttributeValue{
			"UserId":    &types.AttributeValueMemberS{Value: "ann"},
			"Timestamp": &types.AttributeValueMemberS{Value: "2026-01-01T00:00:00Z"},
			"Score":     &types.AttributeValueMemberN{Value: "7"},
		},
	}); err != nil {
		t.Fatal(err)
	}
	drain(t, s)
	item, err := db.GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: new(info.Outputs["leaderboard"]["BoardTable"]),
		Key:       map[string]types.AttributeValue{"UserId": &types.AttributeValueMemberS{Value: "ann"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if score, ok := item.Item["Score"].(*types.AttributeValueMemberN); !ok || score.Value != "7" {
		t.Errorf("ann's total is %v, want 7", item.Item["Score"])
	}

	// The copy is in a region of its own.
	away := info.DynamoDB()
	away.Region = info.Outputs["replication"]["ReplicaRegion"]
	item, err = dynamodb.NewFromConfig(away).GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: new(info.Outputs["replication"]["ReplicaTable"]),
		Key: map[string]types.AttributeValue{
			"UserId":    &types.AttributeValueMemberS{Value: "ann"},
			"Timestamp": &types.AttributeValueMemberS{Value: "2026-01-01T00:00:00Z"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if score, ok := item.Item["Score"].(*types.AttributeValueMemberN); !ok || score.Value != "7" {
		t.Errorf("the copy holds %v, want the score 7", item.Item)
	}

	// In OpenSearch, as the function for search has it.
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, info.Outputs["search"]["SearchEndpoint"]+"/plays-all/_source/2026-01-01T00:00:00Z%23ann", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var play struct{ Score int }
	if err := json.NewDecoder(response.Body).Decode(&play); err != nil || play.Score != 7 {
		t.Errorf("the index holds %+v (%s, %v), want the score 7", play, response.Status, err)
	}

	// What the function was told of its queue must be true.
	if _, err := sqs.NewFromConfig(info.AWS()).GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: new(info.Outputs["leaderboard"]["DeadLetterQueue"]),
	}); err != nil {
		t.Error(err)
	}
	if _, err := json.Marshal(info); err != nil {
		t.Error(err)
	}
	checkGuarded(t, dir, info)
	if _, err := stack.Start(t.Context(), options(dir)); !errors.Is(err, stack.ErrRunning) {
		t.Errorf("a second one in the same directory: %v, want %v", err, stack.ErrRunning)
	}
}

// Also the second start in a directory, with what a failed one left there.
func TestDeadServerIsReportedAndTheRestStopped(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{servers.DynamoDBLocal.Name, servers.Ministack.Name} {
		s := start(t, options(dir, "leaderboard"))
		for _, process := range s.Info().Processes {
			if process.Name != name {
				continue
			}
			if err := syscall.Kill(process.PID, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
		err := <-s.Failed()
		var died *servers.DiedError
		if !errors.As(err, &died) || died.Name != name || died.State != "signal: killed" || died.Tail == "" {
			t.Errorf("failed with %v; want that %s was killed, and the end of its log", err, name)
		}
		if err := s.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		for _, process := range s.Info().Processes {
			connection, err := net.Dial("tcp", strings.TrimPrefix(process.Endpoint, "http://"))
			if !errors.Is(err, syscall.ECONNREFUSED) {
				if err == nil {
					err = connection.Close()
				}
				t.Errorf("%s after the stop: %v, want that it is gone", process.Name, err)
			}
		}
	}
}

func TestFaultyTemplateFailsBeforeAnyServer(t *testing.T) {
	checkout, runDir := t.TempDir(), t.TempDir()
	if err := os.CopyFS(filepath.Join(checkout, "deploy"), os.DirFS(filepath.Join(root, "deploy"))); err != nil {
		t.Fatal(err)
	}
	consumer := filepath.Join(checkout, "consumers", "faulty")
	if err := os.MkdirAll(consumer, 0o755); err != nil {
		t.Fatal(err)
	}
	text := "Resources:\n  T: {Type: AWS::EC2::Instance}\n"
	if err := os.WriteFile(filepath.Join(consumer, "template.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	o := stack.Options{Root: checkout, RunDir: runDir, Progress: func(format string, args ...any) {
		t.Errorf("began: "+format, args...)
	}}
	for range 2 { // the failed start gives the directory back
		_, err := stack.Start(t.Context(), o)
		var fault *template.Error
		if !errors.As(err, &fault) || fault.Line != 2 {
			t.Errorf("error %v, want the fault in line 2", err)
		}
	}
}

func TestUpAndDown(t *testing.T) {
	proof.NotShort(t, "TestDemoWithChaos starts and ends a stack")
	dir := filepath.Join(t.TempDir(), "run")
	t.Cleanup(func() {
		if _, err := stack.Down(context.Background(), dir); err != nil {
			t.Error(err)
		}
	})
	load := func(want stack.State) (stack.Info, error) {
		t.Helper()
		info, err := stack.Load(t.Context(), dir)
		if info.State != want {
			t.Errorf("state %q (%v), want %q", info.State, err, want)
		}
		return info, err
	}
	up := func(consumer string, processes int) stack.Info {
		t.Helper()
		info, err := stack.Up(t.Context(), dir, []string{os.Args[0], daemonRole, dir, consumer}, t.Logf)
		if err != nil {
			t.Fatal(err)
		}
		if info.State != stack.Ready || len(info.Processes) != processes || info.Bridge == nil {
			t.Fatalf("up, but: %+v", info)
		}
		return info
	}
	down := func(want bool) {
		t.Helper()
		if was, err := stack.Down(t.Context(), dir); err != nil || was != want {
			t.Errorf("down: %v, %v; want %v", was, err, want)
		}
	}

	if _, err := load(stack.Stopped); err != nil {
		t.Error(err)
	}
	down(false)
	first := up("search", 3)
	if again := up("search", 3); again.PID != first.PID {
		t.Errorf("up again: process %d, want %d as before", again.PID, first.PID)
	}
	if info, err := load(stack.Ready); err != nil || info.PID != first.PID {
		t.Errorf("process %d, %v; want %d", info.PID, err, first.PID)
	}

	// An index, which the next start must not find.
	index := func(method string, info stack.Info) int {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, info.Endpoints.OpenSearch+"/left", nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		return response.StatusCode
	}
	if status := index(http.MethodPut, first); status != http.StatusOK {
		t.Errorf("make an index: status %d", status)
	}

	checkHealth(t, dir, first, func() int { return index(http.MethodGet, first) })

	// A process that is killed has no time to say so.
	if err := syscall.Kill(first.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	var failed *stack.FailedError
	eventually(t, "the killed process is noticed", func() bool {
		_, err := stack.Load(t.Context(), dir)
		return errors.As(err, &failed)
	})
	if !strings.Contains(failed.Message, "is gone") {
		t.Errorf("message %q, want that its process is gone", failed.Message)
	}
	if !strings.Contains(failed.Message, "All that it had is gone: tables") {
		t.Errorf("message %q doesn't say what is lost", failed.Message)
	}
	second := up("search", 3)
	if status := index(http.MethodGet, second); status != http.StatusNotFound {
		t.Errorf("the index of the last run is still there: status %d", status)
	}

	// One that fails says why.
	if err := syscall.Kill(second.Processes[0].PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the failure is noticed", func() bool {
		_, err := stack.Load(t.Context(), dir)
		return errors.As(err, &failed)
	})
	if !strings.Contains(failed.Message, "DynamoDB Local (pid") {
		t.Errorf("message %q, want how DynamoDB Local died", failed.Message)
	}
	if !strings.Contains(failed.Message, "All that it had is gone: tables") {
		t.Errorf("message %q doesn't say what is lost", failed.Message)
	}
	up("leaderboard", 2)
	down(true)
	down(false)
	if _, err := load(stack.Stopped); err != nil {
		t.Error(err)
	}
}

// Fails for an Up that leaves what it began to itself, and holds up the next one.
func TestInterruptedUpLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	_, err := stack.Up(ctx, dir, []string{os.Args[0], daemonRole, dir, "leaderboard"}, func(string, ...any) { interrupt() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	if info, err := stack.Load(t.Context(), dir); err != nil || info.State != stack.Stopped {
		t.Errorf("state %q, %v; want %q", info.State, err, stack.Stopped)
	}
}

// Fails for an Up that takes an end on request for a failure without a reason.
func TestUpStoppedByDown(t *testing.T) {
	dir := t.TempDir()
	_, err := stack.Up(t.Context(), dir, []string{os.Args[0], daemonRole, dir, "leaderboard"}, func(string, ...any) {
		if _, err := stack.Down(t.Context(), dir); err != nil {
			t.Error(err)
		}
	})
	var failed *stack.FailedError
	if !errors.As(err, &failed) || !strings.Contains(failed.Message, "was told to end before it was ready") {
		t.Errorf("error %v, want that it was told to end", err)
	}
}

func TestUpTellsWhyItFailed(t *testing.T) {
	dir := t.TempDir()
	for _, test := range []struct {
		command []string
		want    string
	}{
		{[]string{"/bin/sh", "-c", "echo cannot; exit 3"}, "its process ended, exit status 3, and said last: cannot"},
		{[]string{os.Args[0], daemonRole, dir}, "is no checkout of Sluice"},
	} {
		t.Chdir(t.TempDir()) // from here root leads nowhere
		_, err := stack.Up(t.Context(), dir, test.command, nil)
		var failed *stack.FailedError
		if !errors.As(err, &failed) || !strings.Contains(failed.Message, test.want) || failed.LogPath == "" {
			t.Errorf("error %v, want a FailedError with %q", err, test.want)
		}
	}
}
