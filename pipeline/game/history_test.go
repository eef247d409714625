package game

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/deploy/local/servers/servertest"
)

// A score of each bad kind between two good ones: the history has the good ones, and says what is wrong with the bad one.
func TestHistoryPastABadScore(t *testing.T) {
	client := dynamodb.NewFromConfig(servertest.DynamoDB(t))
	servertest.CreateTable(t, client, "Scores", attrUser, attrTimestamp)
	scores := tables{client: client, scores: "Scores"}
	five, six := &types.AttributeValueMemberN{Value: "5"}, &types.AttributeValueMemberN{Value: "6"}
	for kind, bad := range map[string]types.AttributeValue{
		"missing": nil,
		"text":    &types.AttributeValueMemberS{Value: "5"},
		"boolean": &types.AttributeValueMemberBOOL{Value: true},
		"null":    &types.AttributeValueMemberNULL{Value: true},
		"binary":  &types.AttributeValueMemberB{Value: []byte("5")},
		"list":    &types.AttributeValueMemberL{Value: []types.AttributeValue{}},
		"map":     &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{}},
		"set":     &types.AttributeValueMemberNS{Value: []string{"5"}},
	} {
		t.Run(kind, func(t *testing.T) {
			user := "bad-" + kind
			for n, value := range []types.AttributeValue{five, bad, six} {
				item := map[string]types.AttributeValue{
					attrUser:      &types.AttributeValueMemberS{Value: user},
					attrTimestamp: &types.AttributeValueMemberS{Value: fmt.Sprintf("2026-11-30 08:00:0%d.000000", n)},
				}
				if value != nil {
					item[attrScore] = value
				}
				if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &scores.scores, Item: item}); err != nil {
					t.Fatal(err)
				}
			}
			latest, err := scores.history(t.Context(), user, 10)
			if err != nil || len(latest) != 3 || latest[0].Score.String() != "6" || latest[2].Score.String() != "5" || latest[1].Score != nil || !strings.Contains(latest[1].Problem, attrScore) {
				t.Errorf("history: %+v, %v", latest, err)
			}
		})
	}
}
