package cli

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/deploy/local/stack"
	"sluice/shared/consumertest/proof"
)

// A total is wrong, one is missing, and there is one too many; a rebuild puts that
// right while the game goes on, and can be interrupted. Fails if a change made
// meanwhile is lost or counted twice.
func TestRebuild(t *testing.T) {
	proof.OnlyWhole(t, "TestDemoWithChaos runs the same stack, and TestRebuildCrashAtEveryCall of the leaderboard rebuilds")
	t.Parallel()
	dir := t.TempDir()
	t.Cleanup(func() { run(t, dir, "down") })
	want(t, dir, []string{"up", "leaderboard"}, "The local stack is ready")
	want(t, dir, []string{"play", "--for", "1s", "--rate", "40", "--players", "4", "--seed", "7"}, "scores written")
	want(t, dir, []string{"verify", "leaderboard", "--wait", "2m"}, "Every total is the sum")

	info, err := stack.Load(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	client, table := dynamodb.NewFromConfig(info.DynamoDB()), aws.String(info.Outputs["leaderboard"]["BoardTable"])
	board, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: table})
	if err != nil || len(board.Items) != 4 {
		t.Fatalf("%d totals, %v; want 4", len(board.Items), err)
	}
	user := func(i int) map[string]types.AttributeValue {
		return map[string]types.AttributeValue{"UserId": board.Items[i]["UserId"]}
	}
	if _, err := client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: table, Key: user(0), UpdateExpression: aws.String("ADD Score :n"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":n": &types.AttributeValueMemberN{Value: "1000"}},
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: table, Key: user(1)}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: table, Item: map[string]types.AttributeValue{
		"UserId": &types.AttributeValueMemberS{Value: "nobody"}, "Score": &types.AttributeValueMemberN{Value: "77"}, "ShardNo": &types.AttributeValueMemberN{Value: "0"},
	}}); err != nil {
		t.Fatal(err)
	}
	if out, code := run(t, dir, "verify", "leaderboard"); code != 1 {
		t.Errorf("three wrong totals: exit %d, want 1\n%s", code, out)
	}

	play := command(t, dir, "play", "--for", "20s", "--rate", "30", "--players", "6", "--seed", "8")
	if err := play.Start(); err != nil {
		t.Fatal(err)
	}
	want(t, dir, []string{"rebuild", "leaderboard", "--yes", "--remove-extra", "--clocks", "1s"},
		"Generation 1: announcing when it begins", "waiting until", "Generation 1: reading the source", "View leaderboard is rebuilt (generation 1).")
	if err := play.Wait(); err != nil {
		t.Fatal(err)
	}
	want(t, dir, []string{"verify", "leaderboard", "--wait", "2m"}, "Every total is the sum")

	out, code := run(t, dir, "rebuild", "leaderboard", "--abort", "--yes")
	if code != 1 {
		t.Errorf("no rebuild to give up: exit %d, want 1", code)
	}
	wantTexts(t, out, "view leaderboard: no rebuild of this view is under way")

	out, code = run(t, dir, "rebuild", "hourly")
	if code != 1 {
		t.Errorf("a view that isn't there: exit %d, want 1", code)
	}
	wantTexts(t, out, `there is no view "hourly"`)
}
