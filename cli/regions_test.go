package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"golang.org/x/sync/errgroup"

	"sluice/consumers/replication/mark"
	"sluice/deploy/local/stack"
	"sluice/shared/consumer"
	"sluice/shared/consumertest/proof"
)

// The commands with which replication's README plays in two regions, in a checkout
// of their own, while applications write to the same items in both. Fails if the
// regions end up different, or what lost can't be read.
func TestPlayInTwoRegions(t *testing.T) {
	proof.OnlyWhole(t, "TestSharedTableInTwoRegions of deploy/local/stack runs the same code")
	t.Parallel()
	text, err := os.ReadFile("../consumers/replication/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "## Play in two regions")
	block := shellBlock.FindStringSubmatch(section)
	if block == nil {
		t.Fatal("replication's README has no commands that play in two regions")
	}
	checkout, bin := t.TempDir(), t.TempDir()
	for _, part := range []string{"go.mod", "go.sum", "shared", "consumers", "deploy", "cli", "cmd", "pipeline"} {
		if out, err := exec.Command("cp", "-R", "../"+part, checkout).CombinedOutput(); err != nil {
			t.Fatalf("copy %s: %v\n%s", part, err, out)
		}
	}
	runDir := filepath.Join(bin, "run")
	sh := func(line string) (string, error) {
		cmd := exec.Command("sh", "-c", line)
		cmd.Dir = checkout
		// Without cgo, as the functions are built, so that what both need is compiled once.
		cmd.Env = append(os.Environ(), "GOBIN="+bin, "CGO_ENABLED=0", "PATH="+bin+":"+os.Getenv("PATH"), "SLUICE_RUN_DIR="+runDir)
		out, err := cmd.CombinedOutput()
		t.Logf("$ %s\n%s", line, out)
		return string(out), err
	}
	t.Cleanup(func() { _, _ = sh("sluice down") }) // in case a command failed
	var info stack.Info
	for line := range strings.Lines(block[1]) {
		line = strings.TrimSpace(line)
		out, err := sh(line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		switch {
		case strings.HasPrefix(line, "sluice up"):
			if info, err = stack.Load(t.Context(), runDir); err != nil {
				t.Fatal(err)
			}
			writeInBoth(t, info)
		case line == "sluice status":
			wantTexts(t, out, "replication  us-east-1", "replication  eu-west-1", "UserScoreEvents  eu-west-1")
			redriveInOne(t, info, "eu-west-1", sh)
		case strings.HasPrefix(line, "sluice verify"):
			wantTexts(t, out, "items of table UserScoreEvents in us-east-1: each the same in table UserScoreEvents in eu-west-1.")
			waitUntilStill(t, runDir)
			wantSameInBoth(t, info)
		}
	}
	if info.PID == 0 {
		t.Fatal("the README starts nothing")
	}
	for _, p := range info.Processes {
		wantGone(t, map[int]string{p.PID: p.Name})
	}
	if after, err := stack.Load(t.Context(), runDir); err != nil || after.State != stack.Stopped {
		t.Errorf("it is %s, %v; want %s", after.State, err, stack.Stopped)
	}
}

// redriveInOne sends a dead letter of a further region to that region's function, which keeps it anew in that region's queue.
func redriveInOne(t *testing.T, info stack.Info, region string, sh func(string) (string, error)) {
	t.Helper()
	letter, err := json.Marshal(consumer.DeadLetter{
		Consumer: "replication", Reason: consumer.Undecodable, Data: "bm8gY2hhbmdl",
		Position: consumer.Position{StreamARN: info.In(region).Functions["replication"].StreamARN, ShardID: "shardId-000000000000", SequenceNumber: "7"},
	})
	if err != nil {
		t.Fatal(err)
	}
	cfg := info.AWS()
	cfg.Region = region
	if _, err := sqs.NewFromConfig(cfg).SendMessage(t.Context(), &sqs.SendMessageInput{
		QueueUrl: aws.String(info.In(region).Outputs["replication"]["DeadLetterQueue"]), MessageBody: aws.String(string(letter)),
	}); err != nil {
		t.Fatal(err)
	}
	out, err := sh("sluice redrive replication --yes --region " + region)
	if err == nil {
		t.Error("what is no change is refused again: exit 0, want 1")
	}
	wantTexts(t, out, "1 change sent to replication", "1 refused again", "In the queue: 1; \"sluice redrive replication --list --region "+region+"\"")
	if out, err = sh("sluice redrive replication --list"); err != nil {
		t.Error(err)
	}
	wantTexts(t, out, "replication has no dead letters.")
	if out, err = sh("sluice redrive replication --list --region us-west-2"); err == nil {
		t.Error("a region where nothing runs: exit 0, want 1")
	}
	wantTexts(t, out, "no consumer runs in region us-west-2; there are: us-east-1, eu-west-1")
}

func inRegion(info stack.Info, region string) *dynamodb.Client {
	cfg := info.DynamoDB()
	cfg.Region = region
	return dynamodb.NewFromConfig(cfg)
}

// writeInBoth writes to the same few items in both regions side by side.
func writeInBoth(t *testing.T, info stack.Info) {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	writers, ctx := errgroup.WithContext(t.Context())
	for n, region := range info.Regions() {
		client, random := inRegion(info, region), rand.New(rand.NewPCG(seed, uint64(n)))
		writers.Go(func() error {
			for i := range 150 {
				if err := writeOne(ctx, client, random, fmt.Sprint(region, " ", i)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := writers.Wait(); err != nil {
		t.Fatal(err)
	}
}

// writeOne puts, updates or deletes an item.
func writeOne(ctx context.Context, client *dynamodb.Client, random *rand.Rand, text string) error {
	table := new("UserScoreEvents")
	note := &types.AttributeValueMemberS{Value: text}
	score := &types.AttributeValueMemberN{Value: fmt.Sprint(random.IntN(100))}
	key := map[string]types.AttributeValue{
		"UserId":    &types.AttributeValueMemberS{Value: fmt.Sprint("player ", random.IntN(6))},
		"Timestamp": &types.AttributeValueMemberS{Value: "2026-01-01T00:00:00Z"},
	}
	var err error
	switch random.IntN(5) {
	case 0:
		_, err = client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: table, Key: key})
	case 1, 2:
		_, err = client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: table, Key: key, UpdateExpression: new("SET Score = :score, Note = :note"),
			ExpressionAttributeValues: map[string]types.AttributeValue{":score": score, ":note": note},
		})
	default:
		key["Score"], key["Note"] = score, note
		_, err = client.PutItem(ctx, &dynamodb.PutItemInput{TableName: table, Item: key})
	}
	return err
}

// waitUntilStill returns once all regions are at rest, in two states between which
// every table was read to its end and nothing was found.
func waitUntilStill(t *testing.T, runDir string) {
	t.Helper()
	deadline, again := time.After(time.Minute), time.NewTicker(100*time.Millisecond)
	defer again.Stop()
	var before stack.Info
	for {
		now, err := stack.Load(t.Context(), runDir)
		if err != nil {
			t.Fatal(err)
		}
		rest, looked := before.PID != 0, true
		for _, region := range now.Regions() {
			p, old := now.In(region), before.In(region)
			for name, m := range p.Mappings {
				rest = rest && m.Idle() && m.Read == old.Mappings[name].Read
			}
			rest = rest && p.Bridge.Pending == 0 && old.Bridge != nil && p.Bridge.Read == old.Bridge.Read
			for name, table := range p.Bridge.Tables {
				looked = looked && old.Bridge != nil && table.Quiet >= old.Bridge.Tables[name].Quiet+2
			}
		}
		switch {
		case rest && looked:
			return
		case !rest:
			before = now
		}
		select {
		case <-again.C:
		case <-deadline:
			t.Fatal("the regions don't come to rest")
		}
	}
}

// wantSameInBoth compares the whole tables, and reads the conflict logs.
func wantSameInBoth(t *testing.T, info stack.Info) {
	t.Helper()
	scan := func(region, table string) []map[string]types.AttributeValue {
		var items []map[string]types.AttributeValue
		pages := dynamodb.NewScanPaginator(inRegion(info, region), &dynamodb.ScanInput{TableName: &table, ConsistentRead: new(true)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			items = append(items, page.Items...)
		}
		return items
	}
	held, lost := map[string]map[string]map[string]types.AttributeValue{}, 0
	for _, region := range info.Regions() {
		held[region] = map[string]map[string]types.AttributeValue{}
		for _, item := range scan(region, "UserScoreEvents") {
			delete(item, mark.Attribute)
			name := item["UserId"].(*types.AttributeValueMemberS).Value + item["Timestamp"].(*types.AttributeValueMemberS).Value
			held[region][name] = item
		}
		for _, row := range scan(region, "ReplicaConflicts") {
			lost++
			if row["Version.Score"] == nil || row["WrittenAt"] == nil {
				t.Errorf("the conflict log of %s has %v", region, row)
			}
		}
	}
	home, away := held["us-east-1"], held["eu-west-1"]
	if len(home) == 0 || !reflect.DeepEqual(home, away) {
		t.Errorf("us-east-1 holds %d items, eu-west-1 %d; they differ: %v", len(home), len(away), !reflect.DeepEqual(home, away))
	}
	if lost == 0 {
		t.Error("two regions wrote to the same items, but nothing is in a conflict log")
	}
}
