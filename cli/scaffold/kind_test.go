package scaffold

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumertest/proof"
)

func TestMain(m *testing.M) { servertest.Main(m) }

var kinds = []Kind{DynamoDB, HTTP, S3, SQS}

// moduleCheckout returns a checkout in which consumers can be made and tested. Its packages are those of this checkout.
func moduleCheckout(t *testing.T) string {
	t.Helper()
	root := checkout(t)
	whole, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(root, "deploy")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"go.sum", "shared", "deploy"} {
		if err := os.Symlink(filepath.Join(whole, name), filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// goCommand runs the go command on consumers of the checkout, without cgo, as functions are built.
func goCommand(t *testing.T, root string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0",
		servertest.DynamoDBVariable+"="+*servertest.DynamoDB(t).BaseEndpoint, servertest.MinistackVariable+"="+*servertest.Ministack(t).BaseEndpoint)
	out, err := cmd.CombinedOutput()
	t.Logf("$ go %s\n%s", strings.Join(args, " "), out)
	return string(out), err
}

// careless are consumers that acknowledge a change which its destination may not have.
var careless = []struct {
	to       Kind
	what     string
	old, new string
}{
	{HTTP, "takes a lost answer for success", `return fmt.Errorf("post the change: %w", err)`, `return nil`},
	{HTTP, "takes any answer for success", `return err // 429, 5xx and all that isn't known here comes again`, `return nil`},
	{HTTP, "acknowledges before the answer", `response, err := w.client.Do(request)
`, `go func() {
		if response, err := w.client.Do(request); err == nil {
			_ = response.Body.Close()
		}
	}()
	if ctx != nil {
		return nil
	}
	response, err := w.client.Do(request)
`},
	{S3, "takes a failure for success", `return consumer.RejectRefused(fmt.Errorf("bucket %s: %w", w.settings.Bucket, err))`, `return nil`},
	{S3, "acknowledges before the answer", `if err := w.put(ctx, key, etag, body); !has(err, raceLost...) {`, `go w.put(ctx, key, etag, body)
		if err := error(nil); !has(err, raceLost...) {`},
	{S3, "writes over whatever there is", `in.IfNoneMatch = aws.String("*")
	}`, `in.IfNoneMatch = aws.String("*")
	}
	in.IfMatch, in.IfNoneMatch = nil, nil`},
	{SQS, "takes a failure for success", `return consumer.RejectRefused(fmt.Errorf("queue %s: %w", w.settings.QueueURL, err))`, `_ = fmt.Sprint(err)
	return nil`},
	{SQS, "acknowledges before the answer", `_, err = w.client.SendMessage(`, `go w.client.SendMessage(`},
	{DynamoDB, "takes a failure for success", `return consumer.RejectRefused(fmt.Errorf("table %s: %w", w.settings.Table, err))`, `return nil`},
}

// differed is what the simulator prints of a consumer that it caught.
var differed = regexp.MustCompile(`[0-9]+ schedules run, 1 differed`)

// TestKinds makes consumers of each kind. A new one passes go vet and its own tests: the schedules of the simulator, and the comparison of
// its calls with its role. A careless one is caught by its simulator test. Fails if a kind doesn't work as it is made, or if its test
// doesn't notice that a change is acknowledged which the destination doesn't have.
func TestKinds(t *testing.T) {
	proof.OnlyWhole(t, "it compiles a consumer of each kind; TestTutorial makes one and runs it")
	t.Parallel()
	root := moduleCheckout(t)
	args := []string{"test", "-vet=all", "-count=1", "-v"}
	for _, to := range kinds {
		name := "to-" + string(to)
		if _, err := Make(root, Consumer{Name: Name(name), To: to}); err != nil {
			t.Fatal(err)
		}
		args = append(args, "./consumers/"+name, "./consumers/"+name+"/lambda", "./consumers/"+name+"/ops")
	}
	out, err := goCommand(t, root, args...)
	if err != nil {
		t.Error(err)
	}
	for _, test := range []string{"TestSimulator", "TestRights"} {
		if n := strings.Count(out, "--- PASS: "+test+" "); n != len(kinds) {
			t.Errorf("%s passed %d times, want once for each of %v", test, n, kinds)
		}
	}
	for i, c := range careless {
		t.Run(fmt.Sprintf("%s %s", c.to, c.what), func(t *testing.T) {
			wantCaught(t, root, fmt.Sprintf("careless-%d", i), c.to, c.old, c.new)
		})
	}
}

// wantCaught makes a consumer, makes it careless, and runs its simulator test.
func wantCaught(t *testing.T, root, name string, to Kind, old, careless string) {
	t.Helper()
	if _, err := Make(root, Consumer{Name: Name(name), To: to}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(root, "consumers", name, Name(name).Package()+".go")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), old); n != 1 {
		t.Fatalf("%s has the text to be changed %d times, want once: %s", path, n, old)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), old, careless, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := goCommand(t, root, "test", "-vet=off", "-count=1", "-run=^TestSimulator$", "./consumers/"+name, "-rapid.shrinktime=1ms", "-simulator.seed=1", "-simulator.schedules=500")
	if err == nil || !differed.MatchString(out) {
		t.Errorf("not caught: %v", err)
	}
}
