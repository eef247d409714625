package stack_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"sluice/shared/consumertest/proof"
)

// TestConsumersWritesAreCarriedToo has a consumer write into a table whose changes are carried. Fails for a stack without
// deploy/pets.yaml, and for a Drain that does not wait for what consumers set off: their changes would come in afterwards.
func TestConsumersWritesAreCarriedToo(t *testing.T) {
	proof.NotShort(t, "TestDemoWithChaos carries what consumers write, too")
	s := start(t, options(t.TempDir(), "leaderboard"))
	info := s.Info()
	db := dynamodb.NewFromConfig(info.DynamoDB())
	table := info.Outputs["pets"]["PetTable"]
	text := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

	const activities = 2
	for i := range activities {
		if _, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: map[string]types.AttributeValue{
			"PK": text("PET#rex"), "SK": text(fmt.Sprint("ACTIVITY#", i)), "entityType": text("ACTIVITY"), "petId": text("rex"),
			"type": text(fmt.Sprint("walk ", i)), "timestamp": text(fmt.Sprintf("2026-01-15T10:00:0%dZ", i)),
		}}); err != nil {
			t.Fatal(err)
		}
		drain(t, s)
		got := map[string]string{}
		for _, key := range [][2]string{{"LEADERBOARD", "PET#rex"}, {"PET#rex", "SUMMARY#2026-01-15"}} {
			out, err := db.GetItem(t.Context(), &dynamodb.GetItemInput{
				TableName: &table, Key: map[string]types.AttributeValue{"PK": text(key[0]), "SK": text(key[1])},
			})
			if err != nil {
				t.Fatal(err)
			}
			count, _ := out.Item["activityCount"].(*types.AttributeValueMemberN)
			last, _ := out.Item["lastActivity"].(*types.AttributeValueMemberS)
			switch {
			case count != nil && last != nil:
				got[key[0]] = count.Value + ", last " + last.Value
			case count != nil:
				got[key[0]] = count.Value
			}
		}
		want := map[string]string{"LEADERBOARD": fmt.Sprint(i + 1), "PET#rex": fmt.Sprintf("%d, last walk %d", i+1, i)}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("after %d activities (-want +got):\n%s", i+1, diff)
		}
		// Each activity, and the two items that it changed.
		stats := s.Info()
		if read, done := stats.Bridge.Tables[table].Read, stats.Mappings["leaderboard"].Done; read != int64(3*(i+1)) || done != read {
			t.Errorf("after %d activities %d changes were read, %d are done; want 3 for each", i+1, read, done)
		}
	}
}
