package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/deploy/local/stack"
	"sluice/shared/consumertest/proof"
)

// A consumer that was just made works with every verb that works on a consumer, and nothing is edited by hand: not the list of
// consumers, no template, no alarms. Fails if one of them has to be told of a new consumer, or can't take a hyphen in its name.
func TestNewConsumerIsRegistered(t *testing.T) {
	proof.NoRaces(t, "its commands are built without the race detector")
	t.Parallel()
	root, runDir := copyCheckout(t), t.TempDir()
	inCopy(t, root, os.Args[0], "new", "consumer", "my-orders")
	if unformatted := inCopy(t, root, "gofmt", "-l", "consumers/my-orders", "pipeline"); unformatted != "" {
		t.Errorf("not formatted: %s", unformatted)
	}
	inCopy(t, root, "go", "build", "./consumers/...", "./pipeline/...")
	inCopy(t, root, "go", "build", "-o", "sluice", "./cmd/sluice")
	inCopy(t, root, "go", "test", "-vet=all", "-count=1", "./consumers/my-orders/...")
	for _, other := range []string{"leaderboard", "replication", "search", "badges"} { // so that the stack starts sooner
		if err := os.Remove(filepath.Join(root, "consumers", other, "template.yaml")); err != nil {
			t.Fatal(err)
		}
	}
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
	sluice(0, "up", "my-orders")
	info, err := stack.Load(t.Context(), runDir)
	if err != nil {
		t.Fatal(err)
	}
	client := dynamodb.NewFromConfig(info.DynamoDB())
	scores, kept := info.Outputs["stream"]["ScoreTable"], info.Outputs["my-orders"]["Table"]
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
	sluice(0, "redrive my-orders --list", "my-orders has no dead letters.")
	sluice(0, "run my-orders --against consumers/leaderboard/testdata/payload.json", "Answer: ")
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
