package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"sluice/deploy/local/servers/servertest"
	"sluice/deploy/local/stack"
)

// Items without a proper score, one of them nearly as large as an item may be,
// go through the whole pipeline: their changes are kept whole, the others count.
func TestBadItemsBecomeDeadLetters(t *testing.T) {
	dir := t.TempDir()
	t.Cleanup(func() { run(t, dir, "down") })
	want(t, dir, []string{"up"}, "The local stack is ready")
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
}
