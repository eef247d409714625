package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	kinesistypes "github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/shopspring/decimal"

	"sluice/cli/verb"
	leaderboardops "sluice/consumers/leaderboard/ops"
	"sluice/deploy/local/servers/servertest"
	"sluice/deploy/local/stack"
	"sluice/pipeline"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/proof"
	"sluice/shared/redrive"
)

// Items without a proper score, one of them nearly as large as an item may be,
// go through the whole pipeline: their changes are kept whole, the others count.
func TestBadItemsBecomeDeadLetters(t *testing.T) {
	proof.OnlyWhole(t, "TestAnyDeadLetterCanBeKept of shared/consumer makes them, and the tests of shared/redrive list and redrive them")
	t.Parallel()
	dir := t.TempDir()
	t.Cleanup(func() { run(t, dir, "down") })
	want(t, dir, []string{"up", "leaderboard"}, "The local stack is ready")
	info, err := stack.Load(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	scores := dynamodb.NewFromConfig(info.DynamoDB())
	for i, score := range []types.AttributeValue{
		&types.AttributeValueMemberN{Value: "3"},
		&types.AttributeValueMemberS{Value: "seven"},
		&types.AttributeValueMemberS{Value: strings.Repeat("7", 390<<10)},
		&types.AttributeValueMemberN{Value: "4"},
	} {
		if _, err := scores.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("UserScoreEvents"), Item: map[string]types.AttributeValue{
			"UserId":    &types.AttributeValueMemberS{Value: "reed"},
			"Timestamp": &types.AttributeValueMemberS{Value: fmt.Sprintf("2026-01-02 03:04:05.00000%d", i)},
			"Score":     score,
		}}); err != nil {
			t.Fatal(err)
		}
	}
	letters := waitForLetters(t, info, 2)
	status := watchTwice(t, dir, "DEAD LETTERS")
	wantTexts(t, status, `Dead letters wait: "sluice redrive CONSUMER --list" shows why.`)
	if row := regexp.MustCompile(`(?m)^leaderboard +us-east-1 .*`).FindString(status); len(strings.Fields(row)) < 9 || strings.Fields(row)[8] != strconv.Itoa(letters) {
		t.Errorf("status has %q, want %d dead letters", row, letters)
	}
	want(t, dir, []string{"redrive", "leaderboard", "--list"}, fmt.Sprintf("invalid: %d dead letters", letters), `INSERT UserScoreEvents {"`, `attribute "Score" has type S, want N`)
	out, code := run(t, dir, "redrive", "leaderboard", "--yes")
	if code != 1 {
		t.Errorf("changes that are refused again: exit %d, want 1", code)
	}
	wantTexts(t, out, "2 changes sent to leaderboard: 0 applied", fmt.Sprintf("Taken out of the queue: %d dead letters", letters), "In the queue: 2", "refused again, and in the queue anew, whole: 2 changes")
	small, large := "", ""
	for body := range servertest.Receive(t, sqs.NewFromConfig(info.AWS()), info.Outputs["leaderboard"]["DeadLetterQueue"]) {
		if strings.Contains(body, `"body"`) {
			large = body
		} else {
			small = body
		}
		if small != "" && large != "" {
			break
		}
	}
	path := filepath.Join(dir, "letter.json")
	for body, texts := range map[string][]string{
		small: {"dead letter of leaderboard: invalid", `attribute "Score" has type S, want N`, "INSERT UserScoreEvents", `S "seven"`},
		large: {"body is in S3", "aws s3 cp s3://"},
	} {
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		out, _ := run(t, dir, "decode", path)
		wantTexts(t, out, texts...)
	}
	want(t, dir, []string{"top"}, "reed  7")
	total := recoverFromAnOutage(t, dir, info)
	total += recoverARange(t, dir, info)
	total += runRecorded(t, dir, info)
	out, _ = run(t, dir, "redrive", "leaderboard", "--yes") // the one that is too old, still; in the queue and never twice
	wantTexts(t, out, "1 refused again", "In the queue: 1")
	want(t, dir, []string{"top"}, fmt.Sprintf("isla  %d", total), "reed    7")
}

// waitForLetters waits until the leaderboard's queue has n messages or more: a function that got no answer when it sent a
// letter sends it once more. It returns how many there are.
func waitForLetters(t *testing.T, info stack.Info, n int) (visible int) {
	t.Helper()
	queues := sqs.NewFromConfig(info.AWS())
	waitUntil(t, fmt.Sprintf("there are %d dead letters", n), func() bool {
		var err error
		visible, _, err = redrive.Waiting(t.Context(), queues, info.Outputs["leaderboard"]["DeadLetterQueue"])
		if err != nil {
			t.Fatal(err)
		}
		return visible >= n
	})
	return visible
}

func waitUntil(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	for !is() {
		select {
		case <-deadline:
			t.Fatalf("waited a minute until %s", what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// play is the change of a play worth one point, the n-th of isla's.
func play(n int, at time.Time) []byte {
	keys := consumertest.Item{"UserId": consumertest.S("isla"), "Timestamp": consumertest.S(fmt.Sprintf("%s%06d", at.UTC().Format("2006-01-02 15:04:05."), n))}
	item := maps.Clone(keys)
	item["Score"] = consumertest.N("1")
	return consumertest.Change{Table: "UserScoreEvents", Time: at.Add(time.Duration(n) * time.Microsecond), Keys: keys, New: item}.Record()
}

// A board that can't be written for a day, and a horizon that was set too short: both are set right, and the changes
// that became dead letters meanwhile are sent again. It returns the points of these.
func recoverFromAnOutage(t *testing.T, dir string, info stack.Info) (points int) {
	t.Helper()
	deliver := func(payload []byte, env ...string) {
		f := info.Functions["leaderboard"]
		f.Env = append(slices.Clone(f.Env), env...) // of two values of a variable the last counts
		local, err := newLocalFunction("leaderboard", f, "")
		if err != nil {
			t.Fatal(err)
		}
		defer local.Close()
		reply, err := local.Invoke(t.Context(), payload)
		if err = errors.Join(err, reply.Failure); err != nil || string(reply.Answer) != `{"batchItemFailures":[]}` {
			t.Fatalf("answer %s, %v\n%s", reply.Answer, err, reply.Log)
		}
	}
	now := time.Now()
	deliver(consumertest.Payload(1, play(1, now), play(2, now), play(3, now)), "BOARD_TABLE=NoSuchTable")
	deliver(consumertest.Payload(4, play(4, now.Add(-48*time.Hour))), "HORIZON=24h")
	want(t, dir, []string{"redrive", "leaderboard", "--list"}, "given up: ", "such as INSERT UserScoreEvents {", "ResourceNotFoundException")
	wantReasons(t, dir, "given up", "too old")
	out, code := run(t, dir, "redrive", "leaderboard", "--yes", "--reason", "stuck")
	if code != 1 {
		t.Errorf("nothing is stuck: exit %d, want 1", code)
	}
	wantTexts(t, out, "no dead letter is as asked for")
	want(t, dir, []string{"redrive", "leaderboard", "--yes", "--reason", "given up"}, "3 changes sent to leaderboard: 3 applied")
	wantReasons(t, dir, "too old")
	want(t, dir, []string{"redrive", "leaderboard", "--yes", "--sequence", consumertest.SequenceNumber(4)}, "1 change sent to leaderboard: 1 applied", "The queue is empty")
	return 4
}

// wantReasons compares why the leaderboard's dead letters are there. A letter may be there twice, see waitForLetters.
func wantReasons(t *testing.T, dir string, want ...string) {
	t.Helper()
	out, code := run(t, dir, "redrive", "leaderboard", "--list", "--json")
	var groups []redrive.Group
	if err := json.Unmarshal([]byte(out), &groups); code != 0 || err != nil {
		t.Fatalf("exit %d, %v:\n%s", code, err, out)
	}
	var got []string
	for _, g := range groups {
		got = append(got, g.Reason)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("dead letters for %q, want %q", got, want)
	}
}

// A range that Lambda gave up is read from the stream and sent; interrupted half way, the next run finishes. It returns
// the points of the range.
func recoverARange(t *testing.T, dir string, info stack.Info) (points int) {
	t.Helper()
	const records = 400
	streams := kinesis.NewFromConfig(info.AWS())
	// A stream of its own: the one of the stack would bring the changes to the leaderboard by itself.
	arn := servertest.CreateStream(t, streams, "given-up", 1)
	var entries []kinesistypes.PutRecordsRequestEntry
	now := time.Now()
	for i := range records {
		entries = append(entries, kinesistypes.PutRecordsRequestEntry{PartitionKey: aws.String("p"), Data: play(100+i, now)})
	}
	put, err := streams.PutRecords(t.Context(), &kinesis.PutRecordsInput{StreamARN: &arn, Records: entries})
	if err != nil {
		t.Fatal(err)
	}
	document := fmt.Sprintf(`{"requestContext":{"condition":"RetryAttemptsExhausted"},"KinesisBatchInfo":{"shardId":"%s","startSequenceNumber":"%s",
		"endSequenceNumber":"%s","batchSize":%d,"streamArn":"%s"}}`, *put.Records[0].ShardId, *put.Records[0].SequenceNumber, *put.Records[records-1].SequenceNumber, records, arn)
	if _, err := sqs.NewFromConfig(info.AWS()).SendMessage(t.Context(), &sqs.SendMessageInput{
		QueueUrl: aws.String(info.Outputs["leaderboard"]["DeadLetterQueue"]), MessageBody: &document,
	}); err != nil {
		t.Fatal(err)
	}
	want(t, dir, []string{"redrive", "leaderboard", "--list"}, "RetryAttemptsExhausted: 1 range that Lambda gave up, of 400 changes")
	board, err := leaderboardops.FindBoard(t.Context(), verb.PipelineFlags{LocalFlags: verb.LocalFlags{RunDir: dir}}, pipeline.Declared, "")
	if err != nil {
		t.Fatal(err)
	}
	cmd := command(t, dir, "redrive", "leaderboard", "--yes")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waitUntil(t, "the range has begun", func() bool {
		top, err := board.Top(t.Context(), "", 1)
		if err != nil {
			t.Fatal(err)
		}
		return top[0].Number.GreaterThan(decimal.NewFromInt(10))
	})
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("interrupted: exit 0, want 1")
	}
	wantTexts(t, out.String(), "interrupted\nNothing is lost.", "In the queue: 1")
	want(t, dir, []string{"redrive", "leaderboard", "--yes"}, "400 changes sent to leaderboard", "The queue is empty")
	want(t, dir, []string{"redrive", "leaderboard", "--list"}, "leaderboard has no dead letters")
	return records
}
