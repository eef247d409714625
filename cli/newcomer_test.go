package cli

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"sluice/deploy/local/stack"
	"sluice/shared/consumertest/proof"
)

// A consumer that was just made works with every verb that works on a consumer, and nothing is edited by hand: not the list of
// consumers, no template, no alarms. Fails if one of them has to be told of a new consumer, or can't take a hyphen in its name.
func TestNewConsumerIsRegistered(t *testing.T) {
	proof.OnlyWhole(t, "TestTutorial makes a consumer and runs it, TestKinds makes one of each kind")
	t.Parallel()
	root, runDir := copyCheckout(t), t.TempDir()
	inCopy(t, root, os.Args[0], "new", "consumer", "my-orders")
	hook := newReceiver(t)
	for name, to := range map[string]string{"my-files": "s3", "my-events": "sqs", "my-hook": "http"} {
		inCopy(t, root, os.Args[0], "new", "consumer", name, "--to", to)
	}
	setURL(t, filepath.Join(root, "consumers", "my-hook", "template.yaml"), hook.URL)
	if unformatted := inCopy(t, root, "gofmt", "-l", "consumers/my-orders", "pipeline"); unformatted != "" {
		t.Errorf("not formatted: %s", unformatted)
	}
	inCopy(t, root, "go", "build", "./consumers/...", "./pipeline/...")
	inCopy(t, root, "go", "build", "-o", "sluice", "./cmd/sluice")
	inCopy(t, root, "go", "test", "-short", "-vet=all", "-count=1", "./consumers/my-orders/...")
	sluice := func(code int, line string, texts ...string) {
		t.Helper()
		cmd := exec.Command(filepath.Join(root, "sluice"), strings.Fields(line)...)
		cmd.Dir, cmd.Env = root, append(os.Environ(), "SLUICE_RUN_DIR="+runDir)
		out, _ := cmd.CombinedOutput()
		t.Logf("$ sluice %s\n%s", line, out)
		if got := cmd.ProcessState.ExitCode(); got != code {
			t.Errorf("sluice %s: exit %d, want %d", line, got, code)
		}
		wantTexts(t, string(out), texts...)
	}
	sluice(0, "lint", "consumers/my-orders/template.yaml: no faults")
	t.Cleanup(func() { sluice(0, "down") })
	sluice(0, "up my-orders my-files my-events my-hook", "my-orders", "my-files", "my-events", "my-hook")
	info, err := stack.Load(t.Context(), runDir)
	if err != nil {
		t.Fatal(err)
	}
	client := dynamodb.NewFromConfig(info.DynamoDB())
	scores, kept := info.Outputs["game"]["ScoreTable"], info.Outputs["my-orders"]["Table"]
	const items = 5
	for i := range items {
		if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &scores, Item: map[string]types.AttributeValue{
			"UserId": &types.AttributeValueMemberS{Value: "reed"}, "Timestamp": &types.AttributeValueMemberS{Value: strconv.Itoa(i)},
		}}); err != nil {
			t.Fatal(err)
		}
	}
	const equal = "5 items of table UserScoreEvents"
	sluice(0, "verify my-orders --wait 30s --patience 0s", equal)
	forgetOne(t, client, kept)
	sluice(1, "verify my-orders --patience 0s", "missing", "1 ")
	sluice(0, "backfill my-orders --yes", "5")
	sluice(0, "verify my-orders --patience 0s", equal)
	sluice(0, "status", "my-orders", "Enabled")
	wantOtherKinds(t, sluice, info, hook, items)
	sluice(0, "redrive my-orders --list", "my-orders has no dead letters.")
	sluice(0, "run my-orders --against consumers/leaderboard/testdata/payload.json", "Answer: ")
}

// wantOtherKinds verifies and backfills the consumers of the other kinds. Fails if a backfill gives an item another identity in its second
// run, or one that a change of the stream has.
func wantOtherKinds(t *testing.T, sluice func(code int, line string, texts ...string), info stack.Info, hook *receiver, items int) {
	t.Helper()
	const equal = "5 items of table UserScoreEvents"
	sluice(0, "verify my-files --wait 30s --patience 0s", equal)
	client := s3.NewFromConfig(info.AWS(), func(o *s3.Options) { o.UsePathStyle = true })
	bucket := info.Outputs["my-files"]["Bucket"]
	list, err := client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket})
	if err != nil || len(list.Contents) != items {
		t.Fatalf("bucket %s has %d objects, %v, want %d", bucket, len(list.Contents), err, items)
	}
	if _, err := client.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &bucket, Key: list.Contents[0].Key}); err != nil {
		t.Fatal(err)
	}
	wrong := `{"version": 1, "removed": false, "keys": {"UserId": {"S": "reed"}, "Timestamp": {"S": "none"}}, "item": {}}`
	if _, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: list.Contents[1].Key, Body: strings.NewReader(wrong)}); err != nil {
		t.Fatal(err)
	}
	sluice(1, "verify my-files --patience 0s", "missing", "different", "extra", "3 items differ")
	sluice(0, "backfill my-files --yes", "2 items written, 3 newer")
	sluice(0, "verify my-files --patience 0s", equal)

	sluice(0, "backfill my-events --yes", "5 items written")
	sluice(1, "verify my-events", "my-events: nothing is compared: a queue holds only what wasn't received yet")
	sluice(1, "verify my-hook", "my-hook: nothing is compared: sluice can't read what the receiver at the URL holds")
	sluice(0, "verify --patience 0s", "nothing is compared: a queue holds", "replication is not part of this stack")
	var runs [2][]string
	for n := range runs {
		sluice(0, "backfill my-hook --yes", "5 items written")
		runs[n] = hook.backfilled()
	}
	if len(runs[0]) != items || !slices.Equal(runs[0], runs[1]) {
		t.Errorf("two backfills sent the keys\n%q\n%q", runs[0], runs[1])
	}
}

// receiver takes the requests of a consumer of kind http.
type receiver struct {
	*httptest.Server

	mu   sync.Mutex
	keys map[string]bool
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{keys: map[string]bool{}}
	r.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.keys[request.Header.Get("Idempotency-Key")] = true
	}))
	t.Cleanup(r.Close)
	return r
}

// backfilled returns the keys that backfills have sent since the last call.
func (r *receiver) backfilled() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var keys []string
	for key := range r.keys {
		if strings.HasPrefix(key, "backfill-") {
			keys = append(keys, key)
			delete(r.keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// setURL sets where a consumer of kind http sends to.
func setURL(t *testing.T, path, url string) {
	t.Helper()
	const unset = "Default: http://127.0.0.1:9/"
	text, err := os.ReadFile(path)
	if err != nil || strings.Count(string(text), unset) != 1 {
		t.Fatalf("%s doesn't have %q once, %v", path, unset, err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), unset, "Default: "+url, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// forgetOne deletes an item of a table.
func forgetOne(t *testing.T, client *dynamodb.Client, table string) {
	t.Helper()
	out, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &table})
	if err != nil || len(out.Items) == 0 {
		t.Fatalf("table %s has %d items, %v", table, len(out.Items), err)
	}
	key := map[string]types.AttributeValue{"Id": out.Items[0]["Id"]}
	if _, err := client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &table, Key: key}); err != nil {
		t.Fatal(err)
	}
}
