package cli

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/deploy/local/stack"
)

// BenchmarkNewcomer measures from "sluice new consumer audit" to the moment at which the new
// consumer has handled a change, in the whole local stack beside the shipped consumers, as
// "sluice up" starts it. Modules, compiled packages and servers are there from a round before
// that isn't counted. It reports medians, of the whole and of its three parts.
func BenchmarkNewcomer(b *testing.B) {
	newcomer(b)
	parts := map[string][]time.Duration{}
	for b.Loop() {
		for name, took := range newcomer(b) {
			parts[name] = append(parts[name], took)
		}
	}
	b.ReportMetric(0, "ns/op")
	for name, took := range parts {
		slices.Sort(took)
		b.ReportMetric(took[len(took)/2].Seconds(), name+"-s")
	}
}

// newcomer goes once through it, in a copy of the checkout, and returns how long that took.
func newcomer(b *testing.B) map[string]time.Duration {
	b.Helper()
	root, runDir := copyCheckout(b), b.TempDir()
	sluice := func(args ...string) time.Duration {
		cmd := exec.Command(filepath.Join(root, "sluice"), args...)
		cmd.Dir, cmd.Env = root, append(os.Environ(), "SLUICE_RUN_DIR="+runDir)
		began := time.Now()
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("sluice %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return time.Since(began)
	}
	build := exec.Command("go", "build", "-o", "sluice", "./cmd/sluice")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	made := sluice("new", "consumer", "audit")
	defer sluice("down")
	up := sluice("up")
	began := time.Now()
	firstChange(b, runDir)
	handled := time.Since(began)
	return map[string]time.Duration{"new": made, "up": up, "change": handled, "all": made + up + handled}
}

// firstChange writes an item to the game's table and waits until the new consumer's table
// has what comes of it.
func firstChange(b *testing.B, runDir string) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
	defer cancel()
	info, err := stack.Load(ctx, runDir)
	if err != nil {
		b.Fatal(err)
	}
	client := dynamodb.NewFromConfig(info.DynamoDB())
	scores, noted := info.Outputs["game"]["ScoreTable"], info.Outputs["audit"]["Table"]
	if _, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &scores, Item: map[string]types.AttributeValue{
		"UserId": &types.AttributeValueMemberS{Value: "reed"}, "Timestamp": &types.AttributeValueMemberS{Value: "2026-01-01 12:00:00"},
		"Score": &types.AttributeValueMemberN{Value: "1"},
	}}); err != nil {
		b.Fatal(err)
	}
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for range again.C {
		out, err := client.Scan(ctx, &dynamodb.ScanInput{TableName: &noted, ConsistentRead: aws.Bool(true)})
		if err != nil {
			b.Fatalf("no change has come to the new consumer: %v", err)
		}
		if len(out.Items) > 0 {
			return
		}
	}
}
