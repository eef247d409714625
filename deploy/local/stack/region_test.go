package stack_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	replicationops "sluice/consumers/replication/ops"
	"sluice/deploy/local/stack"
	"sluice/deploy/sections"
	"sluice/shared/consumertest/proof"
	"sluice/shared/declaration"
	"sluice/shared/operate"
)

// sharedCheckout returns a checkout whose score table is written to in two regions.
func sharedCheckout(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, part := range []string{"shared", "consumers", "deploy", "pipeline"} {
		if err := os.CopyFS(filepath.Join(dir, part), os.DirFS(filepath.Join(root, part))); err != nil {
			t.Fatal(err)
		}
	}
	for from, to := range map[string]string{
		"go.mod": "go.mod", "go.sum": "go.sum", "consumers/replication/shared.yaml": "deploy/shared.yaml",
		"consumers/replication/example/replicas.yaml": "pipeline/replicas.yaml",
	} {
		text, err := os.ReadFile(filepath.Join(root, from))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, to), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := declaration.Pipeline{Files: os.DirFS(filepath.Join(dir, "pipeline")), Folder: "pipeline"}
	files, err := sections.Checkout(dir, p, []operate.Declarer{replicationops.Consumer(p).(operate.Declarer)})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if err := f.Write(dir); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestSharedTableInTwoRegions has applications write to a table in the further region, and in both. Fails for a stack
// that doesn't carry the further region's changes, one whose functions all work in the home region, and a Drain that
// looks at the home region alone.
func TestSharedTableInTwoRegions(t *testing.T) {
	proof.NotShort(t, "it starts two stacks; the tests of consumers/replication have a table in two regions")
	s := start(t, stack.Options{Root: sharedCheckout(t), Consumers: []string{"leaderboard", "replication"}, RunDir: t.TempDir()})
	info := s.Info()
	const away = "eu-west-1"
	if got, want := info.Regions(), []string{stack.DefaultRegion, away}; !slices.Equal(got, want) {
		t.Fatalf("it runs in %q, want %q", got, want)
	}
	for region, want := range map[string][]string{stack.DefaultRegion: {"leaderboard", "replication"}, away: {"replication"}} {
		for _, name := range want {
			if _, ok := info.In(region).Mappings[name]; !ok || len(info.In(region).Mappings) != len(want) {
				t.Errorf("the consumers in %s are %v, want %q", region, info.In(region).Mappings, want)
			}
		}
	}

	clients := map[string]*dynamodb.Client{}
	for _, region := range info.Regions() {
		cfg := info.DynamoDB()
		cfg.Region = region
		clients[region] = dynamodb.NewFromConfig(cfg)
	}
	text := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
	score := func(region, user string, score int) {
		t.Helper()
		if _, err := clients[region].PutItem(t.Context(), &dynamodb.PutItemInput{
			TableName: aws.String(info.In(region).Outputs["game"]["ScoreTable"]),
			Item: map[string]types.AttributeValue{
				"UserId": text(user), "Timestamp": text("2026-01-01T00:00:00Z"), "Score": &types.AttributeValueMemberN{Value: fmt.Sprint(score)},
			},
		}); err != nil {
			t.Fatal(err)
		}
	}
	score(away, "ann", 7)
	drain(t, s)
	for i := range 20 {
		score(away, "bob", i)
		score(stack.DefaultRegion, "bob", 100+i)
	}
	drain(t, s)

	held := map[string]map[string]string{} // scores by user, by region
	for region, client := range clients {
		out, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("UserScoreEvents"), ConsistentRead: aws.Bool(true)})
		if err != nil {
			t.Fatal(err)
		}
		held[region] = map[string]string{}
		for _, item := range out.Items {
			held[region][item["UserId"].(*types.AttributeValueMemberS).Value] = item["Score"].(*types.AttributeValueMemberN).Value
		}
	}
	if diff := cmp.Diff(held[stack.DefaultRegion], held[away]); diff != "" {
		t.Errorf("the regions differ (-home +away):\n%s", diff)
	}
	// Of bob's the last of either region: a bridge gives a change its time when it reads it.
	if got := held[away]; got["ann"] != "7" || got["bob"] != "19" && got["bob"] != "119" {
		t.Errorf("held: %v, want 7 of ann, and 19 or 119 of bob", got)
	}
}
