package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/deploy/local/stack"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
)

// All forms in which changes are recorded may stand in a file, and are read as the payloads that they are or make.
func TestRecordedForms(t *testing.T) {
	payload := string(consumertest.Payload(1, play(1, time.Now()), play(2, time.Now())))
	var inside struct{ Records []json.RawMessage }
	if err := json.Unmarshal([]byte(payload), &inside); err != nil {
		t.Fatal(err)
	}
	record, bare := string(inside.Records[0]), string(play(3, time.Now()))
	letter, err := json.Marshal(consumer.DeadLetter{
		Consumer: "leaderboard", Position: consumer.Position{SequenceNumber: "77", ShardID: "shardId-000000000007"}, Data: "bm8gY2hhbmdl",
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, text string
		each       bool
		want       string // records in each payload, or what the error says
	}{
		{"a payload", payload, false, "2"},
		{"a payload, each", payload, true, "1 1"},
		{"two payloads", payload + "\n" + payload, false, "2 2"},
		{"an array of payloads", "[" + payload + "," + payload + "]", false, "2 2"},
		{"an array of records", "[" + record + "," + record + "]", false, "2"},
		{"a record", record, false, "1"},
		{"changes", "[" + bare + "," + bare + "]", false, "2"},
		{"a mixture", "[" + bare + "," + string(letter) + "," + payload + "," + record + "]", false, "2 2 1"},
		{"nothing", "", false, "has no records"},
		{"an empty payload", `{"Records":[]}`, false, "has no records"},
		{"no JSON", "{", false, "is no JSON"},
		{"no record", `[{"a":1}]`, false, "[0]: this is JSON, but no payload"},
		{"a number", "7", false, "this is no payload"},
		{"a letter in S3", `{"consumer":"c","body":{"bucket":"b","key":"k"}}`, false, "aws s3 cp s3://b/k"},
	} {
		path := filepath.Join(t.TempDir(), "recorded.json")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		payloads, err := readPayloads(path, "arn:aws:kinesis:us-east-1:0:stream/s", c.each)
		got := fmt.Sprint(err)
		if err == nil {
			got = ""
			for _, p := range payloads {
				var decoder change.Decoder
				records, err := decoder.Decode(p)
				if err != nil {
					t.Fatalf("%s: %v", c.name, err)
				}
				got += fmt.Sprintf("%d ", len(records))
			}
		}
		if err == nil && strings.TrimSpace(got) != c.want || err != nil && !strings.Contains(got, c.want) {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// runRecorded replays what is recorded through the leaderboard's binary, started by us and, as a debugger would, by
// somebody else. It returns the points that isla gets.
func runRecorded(t *testing.T, dir string, info stack.Info) (points int) {
	t.Helper()
	path := filepath.Join(dir, "recorded.json")
	text := fmt.Sprintf("[%s,%s,%s]", play(5, time.Now()), play(6, time.Now()), play(7, time.Now().Add(-9999*time.Hour)))
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, code := run(t, dir, "run", "leaderboard", "--against", path)
	if code != 1 {
		t.Errorf("a change is refused: exit %d, want 1", code)
	}
	wantTexts(t, out, "Payload 1 of 1", "INSERT UserScoreEvents {", "    applied", "refused, kept as a dead letter: too old", "3 changes taken: 2 applied, 0 duplicate, 0 stale, 0 skipped, 0 retried, 1 rejected.")
	want(t, dir, []string{"run", "leaderboard", "--against", path, "--each", "--log", "--env", "HORIZON=99999h"},
		"Payload 3 of 3", "    duplicate: was there already", "    applied", `│ {"_aws"`, "1 applied, 2 duplicate")
	want(t, dir, []string{"redrive", "leaderboard", "--list"}, "too old: 1 dead letter")

	cmd := command(t, dir, "run", "leaderboard", "--against", path, "--print-env", "--env", "HORIZON=99999h")
	lines := startLines(t, cmd)
	var script, rest strings.Builder
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "# Waiting") {
		if strings.HasPrefix(lines.Text(), "export ") {
			script.WriteString(lines.Text() + "\n")
		} else {
			rest.WriteString(lines.Text() + "\n")
		}
	}
	wantTexts(t, rest.String(), "-gcflags 'all=-N -l' -o '"+filepath.Join(filepath.Dir(info.Functions["leaderboard"].Binary), "debug")+"' .", "dlv exec '")
	debugged := exec.Command("sh", "-c", script.String()+"exec "+quote(info.Functions["leaderboard"].Binary))
	if err := debugged.Start(); err != nil {
		t.Fatal(err)
	}
	rest.Reset()
	for lines.Scan() {
		rest.WriteString(lines.Text() + "\n")
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("run --print-env: %v", err)
	}
	_ = debugged.Wait() // it fails, since nobody serves it any more
	wantTexts(t, rest.String(), `Answer: {"batchItemFailures":[]}`, "they are in its line of metrics")
	return 3
}
