package function_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"go.uber.org/goleak"

	"sluice/deploy/local/mapping/function"
)

// The test binary plays the function if this variable says how it starts.
const role = "FUNCTION_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "":
		goleak.VerifyTestMain(m)
	case "handler":
		lambda.Start(handle)
	case "exits at start":
		fmt.Fprintln(os.Stderr, "SCORE_TABLE is not set")
		os.Exit(3)
	case "never asks":
		<-time.After(time.Hour) // without a timer the runtime would call it a deadlock
	}
}

var served int // invocations of this process

// handle does what the payload says.
func handle(ctx context.Context, payload string) (any, error) {
	served++
	if len(payload) > 100 {
		return len(payload), nil
	}
	fmt.Println("line of", payload)
	switch payload {
	case "fail":
		return nil, errors.New("no such table")
	case "panic":
		panic("out of luck")
	case "exit":
		fmt.Fprint(os.Stderr, "fatal: disk is gone")
		os.Exit(5)
	case "hang":
		<-make(chan int)
	case "large":
		return strings.Repeat("x", 7<<20), nil
	case "environment":
		return os.Environ(), nil
	case "directory":
		return os.Getwd()
	case "context":
		deadline, _ := ctx.Deadline()
		lc, _ := lambdacontext.FromContext(ctx)
		return []string{lc.AwsRequestID, lc.InvokedFunctionArn, time.Until(deadline).String()}, nil
	case "pid":
		return os.Getpid(), nil
	}
	return fmt.Sprint(payload, " ", served), nil
}

// lines is a sink for output.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

type writerFunc func([]byte)

func (f writerFunc) Write(p []byte) (int, error) {
	f(p)
	return len(p), nil
}

func config(how string) function.Config {
	return function.Config{
		Name: "leaderboard", Binary: os.Args[0], ARN: "arn:aws:lambda:eu-west-1:123456789012:function:leaderboard",
		Env: []string{role + "=" + how, "GREETING=hello", "AWS_REGION=elsewhere"}, Timeout: 20 * time.Second, MemoryMB: 256, Output: io.Discard,
	}
}

func instance(t *testing.T, c function.Config) *function.Instance {
	t.Helper()
	i, err := function.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(i.Close)
	return i
}

func invoke(t *testing.T, i *function.Instance, payload string) *function.Answer {
	t.Helper()
	answer, err := i.Invoke(t.Context(), fmt.Appendf(nil, "%q", payload), nil)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func want(t *testing.T, answer *function.Answer, body string) {
	t.Helper()
	if answer.Failure != nil || string(answer.Body) != body {
		t.Errorf("answer %s, %v; want %s", answer.Body, answer.Failure, body)
	}
}

func TestProcessIsKeptForTheNextInvocations(t *testing.T) {
	i := instance(t, config("handler"))
	want(t, invoke(t, i, "a"), `"a 1"`)
	want(t, invoke(t, i, "b"), `"b 2"`)
	if answer := invoke(t, i, "fail"); answer.Failure == nil || answer.Failure.Message != "no such table" || answer.Failure.Type != "errorString" {
		t.Errorf("failure %+v, want the function's own error", answer.Failure)
	}
	// It reported its error, so it lives on.
	want(t, invoke(t, i, "c"), `"c 4"`)
}

func TestDeathIsAFailureAndANewProcess(t *testing.T) {
	for _, test := range []struct{ payload, kind, message, output string }{
		{"exit", function.TypeExit, "exit status 5", "fatal: disk is gone"},
		{"panic", "string", "out of luck", ""},
	} {
		t.Run(test.payload, func(t *testing.T) {
			i := instance(t, config("handler"))
			want(t, invoke(t, i, "a"), `"a 1"`)
			f := invoke(t, i, test.payload).Failure
			if f == nil {
				t.Fatal("no failure")
			}
			if f.Type != test.kind || !strings.Contains(f.Message, test.message) || !strings.Contains(f.Output, test.output) || f.Init {
				t.Errorf("failure %+v, want type %q, message with %q and output with %q", f, test.kind, test.message, test.output)
			}
			want(t, invoke(t, i, "b"), `"b 1"`)
		})
	}
}

func TestTimeout(t *testing.T) {
	c := config("handler")
	c.Timeout = time.Second
	i := instance(t, c)
	f := invoke(t, i, "hang").Failure
	if f == nil || f.Type != function.TypeTimeout || !strings.HasSuffix(f.Message, "Task timed out after 1.00 seconds") || !strings.Contains(f.Output, "line of hang") {
		t.Errorf("failure %+v, want a time-out", f)
	}
	want(t, invoke(t, i, "a"), `"a 1"`)
}

func TestKill(t *testing.T) {
	i := instance(t, config("handler"))
	now := make(chan time.Time, 1)
	now <- time.Time{}
	answer, err := i.Invoke(t.Context(), []byte(`"hang"`), now)
	if err != nil {
		t.Fatal(err)
	}
	if !answer.Killed || answer.Failure == nil || !strings.Contains(answer.Failure.Message, "signal: killed") {
		t.Errorf("answer %+v, failure %+v; want it killed", answer, answer.Failure)
	}
	want(t, invoke(t, i, "a"), `"a 1"`)
}

func TestDeathWhileIdleIsNoFailure(t *testing.T) {
	i := instance(t, config("handler"))
	var pid int
	if err := json.Unmarshal(invoke(t, i, "pid").Body, &pid); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	// Wait for it to be gone: while it dies it may still take an invocation.
	for deadline := time.Now().Add(10 * time.Second); syscall.Kill(pid, 0) == nil; {
		if time.Now().After(deadline) {
			t.Fatal("still there after 10 s")
		}
	}
	want(t, invoke(t, i, "a"), `"a 1"`)
}

func TestEndOfContextKills(t *testing.T) {
	c := config("handler")
	ctx, cancel := context.WithCancel(t.Context())
	c.Output = writerFunc(func(line []byte) {
		if string(line) == "line of hang\n" {
			cancel()
		}
	})
	i := instance(t, c)
	if answer, err := i.Invoke(ctx, []byte(`"hang"`), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("answer %+v, error %v; want that of the context", answer, err)
	}
	want(t, invoke(t, i, "a"), `"a 1"`)
}

func TestAnswerTooLarge(t *testing.T) {
	i := instance(t, config("handler"))
	if f := invoke(t, i, "large").Failure; f == nil || f.Type != function.TypeTooLarge {
		t.Errorf("failure %+v, want %s", f, function.TypeTooLarge)
	}
	if answer := invoke(t, i, "a"); answer.Failure != nil {
		t.Errorf("afterwards: %v", answer.Failure)
	}
}

func TestLargePayload(t *testing.T) {
	i := instance(t, config("handler"))
	payload := strings.Repeat("x", 6<<20)
	want(t, invoke(t, i, payload), strconv.Itoa(len(payload)))
}

func TestFunctionThatNeverStarts(t *testing.T) {
	i := instance(t, config("exits at start"))
	for range 2 { // every invocation tries anew
		f := invoke(t, i, "a").Failure
		if f == nil || !f.Init || f.Type != function.TypeExit || !strings.Contains(f.Error(), "exit status 3") || !strings.Contains(f.Error(), "SCORE_TABLE is not set") {
			t.Errorf("failure %v, want that of the start with what was printed", f)
		}
	}
}

func TestEndOfContextDuringStart(t *testing.T) {
	i := instance(t, config("never asks"))
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := i.Invoke(ctx, nil, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want that of the context", err)
	}
}

func TestEnvironmentIsLambdas(t *testing.T) {
	t.Setenv("SECRET_OF_OURS", "1")
	i := instance(t, config("handler"))
	var got []string
	if err := json.Unmarshal(invoke(t, i, "environment").Body, &got); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"AWS_LAMBDA_FUNCTION_NAME=leaderboard", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256",
		"AWS_REGION=eu-west-1", "AWS_DEFAULT_REGION=eu-west-1", "_HANDLER=bootstrap", "GREETING=hello", "TZ=:UTC",
		"LAMBDA_TASK_ROOT=" + filepath.Dir(os.Args[0]),
	} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is missing", want)
		}
	}
	for _, v := range got {
		if strings.HasPrefix(v, "SECRET_OF_OURS") || strings.HasPrefix(v, "HOME=") || v == "AWS_REGION=elsewhere" {
			t.Errorf("the function has %s", v)
		}
	}
	want(t, invoke(t, i, "directory"), fmt.Sprintf("%q", filepath.Dir(os.Args[0])))
}

func TestContextOfAnInvocation(t *testing.T) {
	i := instance(t, config("handler"))
	answer := invoke(t, i, "context")
	var got []string
	if err := json.Unmarshal(answer.Body, &got); err != nil {
		t.Fatal(err)
	}
	if got[0] != answer.RequestID || got[1] != "arn:aws:lambda:eu-west-1:123456789012:function:leaderboard" {
		t.Errorf("request id and ARN are %q, want %q and the function's", got[:2], answer.RequestID)
	}
	if left, err := time.ParseDuration(got[2]); err != nil || left <= 0 || left > 20*time.Second {
		t.Errorf("%s left of 20 s, %v", got[2], err)
	}
}

func TestOutputComesInWholeLines(t *testing.T) {
	var out lines
	c := config("handler")
	c.Output = &out
	i := instance(t, c)
	invoke(t, i, "a")
	invoke(t, i, "exit")
	got := out.String()
	if !strings.Contains(got, "line of a\nline of exit\n") || !strings.HasSuffix(got, "fatal: disk is gone\n") {
		t.Errorf("output:\n%s", got)
	}
}

func TestSettingsAreChecked(t *testing.T) {
	_, err := function.New(function.Config{Binary: "/no/such/file", ARN: "x", Timeout: time.Hour, MemoryMB: 1, Env: []string{"A", "=B"}})
	for _, want := range []string{"Name", "/no/such/file", "ARN", "Timeout", "MemoryMB", "Output", `"A"`, `"=B"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error does not name %s: %v", want, err)
		}
	}
}
