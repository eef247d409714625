package cli

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/deploy/local/servers/servertest"
	"sluice/deploy/local/stack"
	"sluice/shared/consumertest/proof"
)

// logHosts is how many hosts ask in the log that logRows makes.
const logHosts = 7

// logRows are the first n rows of a web server's log.
func logRows(n int) string {
	var log strings.Builder
	for i := range n {
		fmt.Fprintf(&log, "%d,66.249.67.%d,2009-07-20,%d,GMT-0700,GET,/gallery/%d,200,%d,\"Mozilla/5.0 (compatible, \"\"bot\"\")\"\n", 104009+i, i%logHosts, i%24, i, 1000+i)
	}
	return log.String()
}

// A log of 2,000 rows, and some that are none. Fails if a bad row keeps others
// out, or isn't named with its line.
func TestLoad(t *testing.T) {
	client := dynamodb.NewFromConfig(servertest.DynamoDB(t))
	servertest.CreateTable(t, client, "logfile", "PK")
	const rows = 2000
	bad := "x,host,2009-07-20,1,GMT,GET,/,200,1,agent\nshort,row\n"
	var out bytes.Buffer
	err := load(t.Context(), client, "logfile", strings.NewReader(logRows(rows)+bad), &out)
	for _, want := range []string{"2 lines are not loaded", `line 2001: requestid is "x", want a number`, "line 2002: it has 2 columns, want 10"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v doesn't say %q", err, want)
		}
	}
	if !strings.Contains(out.String(), "row 2000, the last 100 in") || !strings.Contains(out.String(), "2000 rows in") {
		t.Errorf("it says\n%s", out.String())
	}
	pages := dynamodb.NewScanPaginator(client, &dynamodb.ScanInput{TableName: new("logfile"), Select: "COUNT"})
	loaded := 0
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		loaded += int(page.Count)
	}
	if loaded != rows {
		t.Errorf("the table holds %d items, want %d", loaded, rows)
	}
}

// The commands with which replication's README copies a log in its own region, in
// a checkout of their own: 2,000 rows, no difference, and the copy's index on the
// host finds a host's rows.
func TestReplicateALog(t *testing.T) {
	proof.OnlyWhole(t, "TestLoad and TestVerbsOnALocalStack run the same code")
	t.Parallel()
	text, err := os.ReadFile("../consumers/replication/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "## Copy a log")
	block := shellBlock.FindStringSubmatch(section)
	if block == nil {
		t.Fatal("replication's README has no commands that copy a log")
	}
	dir, checkout := t.TempDir(), t.TempDir()
	for _, part := range []string{"go.mod", "go.sum", "shared", "consumers", "deploy", "pipeline"} {
		if out, err := exec.Command("cp", "-R", "../"+part, checkout).CombinedOutput(); err != nil {
			t.Fatalf("copy %s: %v\n%s", part, err, out)
		}
	}
	const rows = 2000
	if err := os.WriteFile(filepath.Join(checkout, "access.csv"), []byte(logRows(rows)), 0o600); err != nil {
		t.Fatal(err)
	}
	stopped := false
	t.Cleanup(func() {
		if !stopped {
			run(t, dir, "down")
		}
	})
	for line := range strings.Lines(block[1]) {
		line = strings.TrimSpace(line)
		if line == "sluice down" {
			wantLogOfAHost(t, dir, rows)
			stopped = true
		}
		sh := command(t, dir, "-c", "sluice() { "+os.Args[0]+" \"$@\"; }; "+line)
		sh.Path, sh.Args[0], sh.Dir = "/bin/sh", "sh", checkout
		out, err := sh.CombinedOutput()
		t.Logf("$ %s\n%s", line, out)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if strings.HasPrefix(line, "sluice verify") {
			wantTexts(t, string(out), "2000 items of table logfile in us-east-1: each the same in table logfile_replica in us-east-1.")
		}
	}
	if !stopped {
		t.Error("the README doesn't stop what it started")
	}
}

// wantLogOfAHost asks the index of the log's copy for a host's rows.
func wantLogOfAHost(t *testing.T, runDir string, rows int) {
	t.Helper()
	info, err := stack.Load(t.Context(), runDir)
	if err != nil {
		t.Fatal(err)
	}
	out, err := dynamodb.NewFromConfig(info.DynamoDB()).Query(t.Context(), &dynamodb.QueryInput{
		TableName: new("logfile_replica"), IndexName: new("GSI_1"), KeyConditionExpression: new("GSI_1_PK = :host"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":host": &types.AttributeValueMemberS{Value: "host#66.249.67.0"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := (rows + logHosts - 1) / logHosts; len(out.Items) != want {
		t.Errorf("the index has %d rows of the host, want %d", len(out.Items), want)
	}
	for _, item := range out.Items {
		if item["bytessent"] == nil || item["requestid"] == nil || item["host"] == nil {
			t.Fatalf("the index holds %v", item)
		}
	}
}
