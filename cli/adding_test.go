package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/deploy/local/servers/servertest"
	"sluice/deploy/local/stack"
)

// Verbs that add to a source write to AWS only with consent to a plan, and overwrite items of the local stack only with consent. On
// the local stack they add without a question. Fails if one writes without consent, or asks where nothing can be lost.
func TestAddingVerbsAsk(t *testing.T) {
	recorded := &recorder{}
	cfg := deployGame(t, outputsOf(t, gameOutputs))
	servertest.CreateTable(t, dynamodb.NewFromConfig(cfg), "Scores", "UserId", "Timestamp")
	servertest.CreateTable(t, dynamodb.NewFromConfig(cfg), "logfile", "PK")
	front := recorded.before(t, *cfg.BaseEndpoint)
	t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", front)
	key, err := cfg.Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	local := copyOf(t, stack.Info{
		State: stack.Ready, Region: cfg.Region, AccessKey: key.AccessKeyID, Endpoints: stack.Endpoints{DynamoDB: front},
		Parts: stack.Parts{Outputs: map[string]map[string]string{"leaderboard": gameOutputs}},
	})
	file := filepath.Join(t.TempDir(), "access.csv")
	rows := logHead + logRow10("1", "1", "M") + logRow10("2", "2", "M") + logRow10("2.0", "3", "M")
	if err := os.WriteFile(file, []byte(rows), 0o600); err != nil {
		t.Fatal(err)
	}
	const aws, here = `AWS account \d{12}, region us-east-1`, `the local stack at /\S+`
	const asks, dry = "there is no terminal to ask on; if the plan is right, add --yes", "A dry run: nothing was written."
	load, play := "load "+file, "play --players 2 --for 1s --rate 20 --seed 5"
	for _, c := range []struct {
		args, where, line string // where: "" if there is no plan
		says              string
		code              int
		writes            bool
	}{
		{load + " --aws", aws, `table logfile +/\S+ +2 +0 +0\n.*1 row has the requestid of an earlier row`, asks, 1, false},
		{load + " --aws --dry-run --yes", aws, `table logfile +/\S+ +2 +0 +0`, dry, 0, false},
		{load + " --dry-run", here, `table logfile +/\S+ +2 +0 +0`, dry, 0, false},
		{load, "", "", "3 rows in ", 0, true},
		{load, here, `table logfile +/\S+ +2 +0 +2\n.*2 items of the same requestid are overwritten`, asks, 1, false},
		{load + " --yes", here, `table logfile `, "3 rows in ", 0, true},
		{load + " --aws --yes", aws, `table logfile `, "3 rows in ", 0, true},
		{play + " --stack game", aws, `table Scores +- +about 20 +0 +0`, asks, 1, false},
		{play + " --stack game --dry-run --yes", aws, `table Scores +- +about 20 +0 +0`, dry, 0, false},
		{play + " --dry-run", here, `table Scores +- +about 20 +0 +0`, dry, 0, false},
		{play, "", "", "points in all", 0, true},
		{play + " --stack game --yes", aws, `table Scores `, "points in all", 0, true},
	} {
		recorded.take()
		out, code := run(t, local, strings.Fields(c.args)...)
		calls, writes := recorded.take()
		if calls == 0 || len(writes) > 0 != c.writes || code != c.code {
			t.Errorf("%q: exit %d, want %d; it makes %d calls, and writes %v, want any: %v", c.args, code, c.code, calls, writes, c.writes)
		}
		wantTexts(t, out, c.says)
		verb, _, _ := strings.Cut(c.args, " ")
		plan := regexp.MustCompile(`Plan of "sluice ` + verb + `[^"]*" in ` + c.where + `:\n(.*\n)*?  ` + c.line)
		if c.where == "" && strings.Contains(out, "Plan of ") || c.where != "" && !plan.MatchString(out) {
			t.Errorf("%q: the plan isn't like %v", c.args, plan)
		}
		if slices.Contains(strings.Fields(c.args), "--dry-run") && !strings.Contains(out, "Plan of ") {
			t.Errorf("%q prints no plan", c.args)
		}
	}
}
