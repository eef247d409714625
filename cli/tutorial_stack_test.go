package cli

import (
	"context"
	"maps"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/deploy/local/bridge"
	"sluice/deploy/local/stack"
)

// wantRuns runs the audit trail in a local stack as its only consumer, and has the stream repeat and reorder what an
// application writes: each change has one entry in the end.
func wantRuns(t *testing.T, root string) {
	t.Helper()
	running, err := stack.Start(t.Context(), stack.Options{
		Root: root, Consumers: []string{"audit"}, RunDir: t.TempDir(), Progress: t.Logf,
		Chaos: stack.Chaos{Misbehave: bridge.Misbehaviour{Repeat: 0.5, Reorder: 0.5}, Seed: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := running.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	info := running.Info()
	client := dynamodb.NewFromConfig(info.DynamoDB())
	scores := info.Outputs["game"]["ScoreTable"]
	const items = 10
	for i := range items {
		key := map[string]types.AttributeValue{
			"UserId":    &types.AttributeValueMemberS{Value: "reed"},
			"Timestamp": &types.AttributeValueMemberS{Value: strconv.Itoa(i)},
		}
		for score := range 2 {
			item := maps.Clone(key)
			item["Score"] = &types.AttributeValueMemberN{Value: strconv.Itoa(score)}
			if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &scores, Item: item}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &scores, Key: key}); err != nil {
			t.Fatal(err)
		}
	}
	drained, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := running.Drain(drained); err != nil {
		t.Fatal(err)
	}
	trail, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: new(info.Outputs["audit"]["Table"])})
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for _, entry := range trail.Items {
		kinds[entry["Kind"].(*types.AttributeValueMemberS).Value]++
	}
	if want := map[string]int{"INSERT": items, "MODIFY": items, "REMOVE": items}; !maps.Equal(kinds, want) {
		t.Errorf("the audit trail has %v, want %v", kinds, want)
	}
}
