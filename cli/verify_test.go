package cli

import (
	"testing"
	"time"

	"sluice/deploy/local/servers/servertest"
	"sluice/deploy/local/stack"
)

// Consumers that can't be compared are rows of the summary, with the reason: those whose tables don't exist, one that the stack runs without, and one that this command line
// doesn't know. Fails if one is hidden, or if the exit code is 0.
func TestVerifyReportsWhatItCannotCompare(t *testing.T) {
	t.Parallel()
	cfg := servertest.DynamoDB(t)
	key, err := cfg.Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	info := stack.Info{State: stack.Ready, Region: cfg.Region, AccessKey: key.AccessKeyID, Endpoints: stack.Endpoints{DynamoDB: *cfg.BaseEndpoint, AWS: *cfg.BaseEndpoint}}
	info.Outputs = outputsAt("http://127.0.0.1:9", "http://127.0.0.1:9/000000000000/letters")
	delete(info.Outputs, "badges")
	info.Functions = map[string]stack.Function{"orders": {Timeout: time.Minute}}
	out, code := run(t, copyOf(t, info), "verify", "--patience", "0s")
	if code != 1 {
		t.Errorf("exit %d, want 1", code)
	}
	wantTexts(t, out, "CONSUMER", "leaderboard", "not compared to its end", "describe table", "replication", "search", "badges is not part of this stack", "orders", "it isn't registered")
}
