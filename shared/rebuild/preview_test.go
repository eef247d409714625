package rebuild

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// A preview counts the sums that would become 0, before anything is written. Fails if a source that was made anew looks as if
// a rebuild would do no harm.
func TestPreview(t *testing.T) {
	w := newWorld(t)
	w.run()
	text := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
	for user, sum := range map[string]string{"gone": "5", "nothing": "0"} {
		if _, err := w.direct.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("totals"), Item: map[string]types.AttributeValue{
			"User": text(user), "Score": &types.AttributeValueMemberN{Value: sum},
		}}); err != nil {
			t.Fatal(err)
		}
	}
	want := Preview{Read: 1, Targets: 1, Held: 2, Emptied: 1}
	if got, err := w.tool().Preview(t.Context()); err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	if _, err := w.direct.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("games"), Key: map[string]types.AttributeValue{"User": text("reed"), "Game": text("1")}}); err != nil {
		t.Fatal(err)
	}
	want = Preview{Held: 2, Emptied: 2}
	if got, err := w.tool().Preview(t.Context()); err != nil || got != want {
		t.Errorf("of an empty source: %+v, %v; want %+v", got, err, want)
	}
}
