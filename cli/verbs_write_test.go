package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/gofrs/flock"

	"sluice/deploy/local/servers/servertest"
	"sluice/deploy/local/stack"
	"sluice/shared/consumertest/wire"
)

// reads are the calls that change no data. A call that isn't among them counts as a write.
var reads = regexp.MustCompile(`^(Describe\w+|List\w+|Get\w+|BatchGetItem|TransactGetItems|Query|Scan|ReceiveMessage|ChangeMessageVisibility(Batch)?|GET .*|HEAD .*|` +
	`POST .*/_(search|msearch|mget|count|refresh|pit)|POST .*/_search/\w+|DELETE /_search/.*)$`)

// recorder stands between verbs and servers, and notes the calls.
type recorder struct {
	mu    sync.Mutex
	calls []string
}

// before returns the URL of a proxy before a server.
func (r *recorder) before(t *testing.T, server string) string {
	t.Helper()
	target, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(target) }}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		request.Body = io.NopCloser(bytes.NewReader(body))
		name := wire.OperationOf(request, body)
		if form, err := url.ParseQuery(string(body)); name == "" && err == nil && form.Has("Action") {
			name = form.Get("Action")
		}
		if name == "" {
			name = request.Method + " " + request.URL.Path
		}
		r.mu.Lock()
		r.calls = append(r.calls, name)
		r.mu.Unlock()
		proxy.ServeHTTP(w, request)
	}))
	t.Cleanup(front.Close)
	return front.URL
}

// take returns how many calls there were since it was called last, and the writes among them.
func (r *recorder) take() (calls int, writes []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	calls = len(r.calls)
	writes = slices.DeleteFunc(r.calls, reads.MatchString)
	r.calls = nil
	return calls, writes
}

// planned says of a writing verb how a test runs it, and what its plan's line must look like.
type planned struct {
	consumer  string // whose stack it works on
	arguments string
	line      string // a regular expression
}

// plannedVerbs are the writing verbs on a stack that was damaged by damage.
func plannedVerbs(info stack.Info) map[string]planned {
	awards := info.Outputs["badges"]["AchievementTable"]
	return map[string]planned{
		"verify replication":   {"replication", "--repair --patience 0s", `table UserScoreEvents in eu-west-1 +table UserScoreEvents in us-east-1 +1 +0 +\d+`},
		"verify search":        {"search", "--repair --patience 0s", `index plays +table UserScoreEvents +1 +0 +\d+`},
		"verify badges":        {"badges", "--repair --patience 0s", `table ` + awards + ` +table UserScoreEvents +1 +0 +\d+`},
		"rebuild":              {"leaderboard", "leaderboard", `view leaderboard in table Leaderboard +table UserScoreEvents +12 +0 +12`},
		"reindex":              {"search", "players", `index players-\d+ +table Leaderboard +about 12 `},
		"backfill replication": {"replication", "", `table UserScoreEvents in eu-west-1 +table UserScoreEvents in us-east-1 +about \d+ +0 +\d+`},
		"backfill search":      {"search", "", `index plays +table UserScoreEvents +about \d+ +0 +\d+`},
		"backfill badges":      {"badges", "--patience 0s", `table ` + awards + ` +table UserScoreEvents +about 1 +0 +\d+`},
		"redrive":              {"leaderboard", "leaderboard", `function of leaderboard +queue \S+ +about 1 `},
	}
}

// writingVerbsAsk runs every writing verb on a local stack, where twelve have played, and on the same stack as if it were deployed
// on AWS. Fails if one writes without consent, doesn't say how to give it, or plans without saying where, what and how much.
func writingVerbsAsk(t *testing.T, dir string) {
	t.Helper()
	info, err := stack.Load(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	damage(t, info)
	wire := &recorder{}
	recorded := info
	recorded.Endpoints = stack.Endpoints{DynamoDB: wire.before(t, info.Endpoints.DynamoDB), AWS: wire.before(t, info.Endpoints.AWS), OpenSearch: wire.before(t, info.Endpoints.OpenSearch)}
	info.Outputs["search"]["SearchEndpoint"] = recorded.Endpoints.OpenSearch
	local := copyOf(t, recorded)
	templates := servertest.Ministack(t) // the local stack has no CloudFormation
	templates.Credentials = info.AWS().Credentials
	leadTo(t, local, recorded, wire.before(t, *templates.BaseEndpoint))
	for consumer := range info.Functions {
		deployAs(t, templates, consumer, deployedTemplate(t, info.Outputs[consumer]))
	}
	verbs, flags := plannedVerbs(info), leaves(t)
	for verb, kind := range verbKinds {
		v, known := verbs[verb]
		if kind == "plans" && !known {
			t.Errorf("verb %q writes, and this test doesn't run it: add it to plannedVerbs", verb)
		}
		if !known {
			continue
		}
		t.Run(verb, func(t *testing.T) {
			args := slices.Concat(strings.Fields(verb), strings.Fields(v.arguments))
			deployed := append(slices.Clone(args), "--stack", v.consumer)
			extra := []string{}
			if slices.Contains(flags[verb], "remove-extra") {
				extra = []string{"--remove-extra"} // says what may be deleted; it is no consent
			}
			for _, c := range []struct {
				where string
				args  []string
				dry   bool
			}{
				{`the local stack at ` + local, args, false},
				{`the local stack at ` + local, append(slices.Clone(args), "--dry-run"), true},
				{`AWS account \d{12}, region us-east-1`, slices.Concat(deployed, extra), false},
				{`AWS account \d{12}, region us-east-1`, append(slices.Clone(deployed), "--dry-run", "--yes"), true},
			} {
				wire.take()
				out, code := run(t, local, c.args...)
				calls, writes := wire.take()
				if calls == 0 || len(writes) > 0 {
					t.Errorf("%q makes %d calls, and writes: %v", c.args, calls, writes)
				}
				// A comparison fails if anything differs, whatever else it is asked for.
				if differs := strings.HasPrefix(verb, "verify "); (code == 0) != (c.dry && !differs) {
					t.Errorf("%q: exit %d", c.args, code)
				}
				says := "there is no terminal to ask on; if the plan is right, add --yes"
				if c.dry {
					says = "A dry run: nothing was written."
				}
				wantTexts(t, out, says)
				if plan := regexp.MustCompile(`Plan of "sluice ` + verb + `[^"]*" in ` + c.where + `:\n(.*\n)*?  ` + v.line); !plan.MatchString(out) {
					t.Errorf("%q prints no plan like %v", c.args, plan)
				}
			}
		})
	}
	// The recorder sees what is written with consent.
	for verb, write := range map[string]string{"verify replication": "PutItem", "verify search": "POST /_bulk", "verify badges": "PutItem"} {
		wire.take()
		run(t, local, append(slices.Concat(strings.Fields(verb), strings.Fields(verbs[verb].arguments)), "--yes")...)
		if _, writes := wire.take(); !slices.Contains(writes, write) {
			t.Errorf("the repair of %s writes %v, want %s among them", verb, writes, write)
		}
	}
	sourceMadeAnew(t, recorded, wire)
	queue := info.Outputs["leaderboard"]["DeadLetterQueue"]
	if _, err := sqs.NewFromConfig(info.AWS()).PurgeQueue(t.Context(), &sqs.PurgeQueueInput{QueueUrl: &queue}); err != nil {
		t.Fatal(err)
	}
}

// sourceMadeAnew has the badges' plays in a table without items. Fails if a verb then takes anything from players, though it is allowed
// to delete, and agreed to.
func sourceMadeAnew(t *testing.T, info stack.Info, wire *recorder) {
	t.Helper()
	servertest.CreateTable(t, dynamodb.NewFromConfig(info.DynamoDB()), "PlaysMadeAnew", "UserId", "Timestamp")
	info.Outputs["badges"]["ScoreTable"] = "PlaysMadeAnew"
	dir := copyOf(t, info)
	for args, text := range map[string]string{
		// The shipped rules take nothing back: see TestRepairOfBadgesIsBounded for others.
		"verify badges --repair --patience 0s": "There is nothing to write.",
		"rebuild badges-total":                 "refused: view badges-total in table ",
		"backfill badges --patience 0s":        "refused: view badges-",
	} {
		wire.take()
		out, code := run(t, dir, append(strings.Fields(args), "--remove-extra", "--yes")...)
		if _, writes := wire.take(); code != 1 || len(writes) > 0 {
			t.Errorf("sluice %s: exit %d, and writes: %v", args, code, writes)
		}
		wantTexts(t, out, text)
	}
}

// damage takes an item from a copy, a document from an index and a badge from a player, and puts a dead letter into a queue.
func damage(t *testing.T, info stack.Info) {
	t.Helper()
	remove := func(region, table string, keys ...string) {
		client := inRegion(info, region)
		page, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &table, Limit: aws.Int32(1)})
		if err != nil || len(page.Items) == 0 {
			t.Fatalf("table %s has %d items, %v", table, len(page.Items), err)
		}
		key := map[string]types.AttributeValue{}
		for _, name := range keys {
			key[name] = page.Items[0][name]
		}
		if _, err := client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &table, Key: key}); err != nil {
			t.Fatal(err)
		}
	}
	remove("eu-west-1", "UserScoreEvents", "UserId", "Timestamp")
	remove(info.Region, info.Outputs["badges"]["AchievementTable"], "Player", "Award")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, info.Endpoints.OpenSearch+"/plays/_delete_by_query?refresh=true&max_docs=1", strings.NewReader(`{"query":{"exists":{"field":"score"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err != nil || !bytes.Contains(body, []byte(`"deleted":1,`)) {
		t.Fatalf("no document was deleted: %s, %v", body, err)
	}
	if _, err := sqs.NewFromConfig(info.AWS()).SendMessage(t.Context(), &sqs.SendMessageInput{
		QueueUrl: aws.String(info.Outputs["leaderboard"]["DeadLetterQueue"]), MessageBody: aws.String(`{"consumer": "leaderboard", "reason": "invalid", "data": "e30="}`),
	}); err != nil {
		t.Fatal(err)
	}
}

// copyOf returns a run directory that leads to a stack by its endpoints as given.
func copyOf(t *testing.T, info stack.Info) string {
	t.Helper()
	info.RunDir, info.PID = t.TempDir(), os.Getpid()
	lock := flock.New(filepath.Join(info.RunDir, "lock"))
	if locked, err := lock.TryLock(); err != nil || !locked {
		t.Fatal(locked, err)
	}
	t.Cleanup(func() { _ = lock.Close() })
	state, err := json.Marshal(info)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"lock": []byte(strconv.Itoa(info.PID)), "state.json": state} {
		if err := os.WriteFile(filepath.Join(info.RunDir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return info.RunDir
}

// leadTo leads the AWS SDK of the commands with a run directory to a local stack's servers, and to one that deploys templates.
func leadTo(t *testing.T, runDir string, info stack.Info, templates string) {
	t.Helper()
	key, err := info.AWS().Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	environments.Store(runDir, []string{
		"AWS_REGION=" + info.Region, "AWS_ACCESS_KEY_ID=" + key.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + key.SecretAccessKey,
		"AWS_ENDPOINT_URL=" + info.Endpoints.AWS, "AWS_ENDPOINT_URL_DYNAMODB=" + info.Endpoints.DynamoDB,
		"AWS_ENDPOINT_URL_CLOUDFORMATION=" + templates, "AWS_ENDPOINT_URL_STS=" + templates,
	})
}

// deployedTemplate is that of a stack with a function and outputs. Nobody invokes the function.
func deployedTemplate(t *testing.T, outputs map[string]string) string {
	t.Helper()
	return fmt.Sprintf(`{"Resources": {"Function": {"Type": "AWS::Lambda::Function", "Properties": {"Runtime": "python3.12", "Handler": "index.handler",
		"Role": "arn:aws:iam::000000000000:role/r", "Code": {"ZipFile": "x = 1"}}}}, "Outputs": %s}`, outputsOf(t, outputs))
}
