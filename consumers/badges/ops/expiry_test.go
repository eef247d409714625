package ops

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// TestVerifyExpiredPlays compares a table of which half of the plays have expired: nothing is
// taken for wrong that these may account for, nothing is taken back by a repair, and a rebuild
// is refused. A count that is less than the plays in the table is found all the same, and so is
// a missing badge.
func TestVerifyExpiredPlays(t *testing.T) {
	w := newAuditWorld(t)
	w.people()
	plays := slices.Clone(w.plays)
	w.deliver()
	if _, err := w.client.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{
		TableName: &w.settings.ScoreTable, TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("ExpiresAt"), Enabled: aws.Bool(true)},
	}); err != nil {
		t.Fatal(err)
	}
	for _, play := range plays[:4] {
		key := map[string]types.AttributeValue{"UserId": play["UserId"], "Timestamp": play["Timestamp"]}
		if _, err := w.client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &w.settings.ScoreTable, Key: key}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.auditor().Backfill(t.Context(), BackfillOptions{Segments: 1}); err != nil { // Rex
		t.Fatal(err)
	}
	for _, repair := range []*RepairOptions{nil, {Revoke: true}} {
		if v, found := w.verify(repair); len(found) > 0 || !v.Expires || v.Unknown == 0 || len(v.Kept) > 0 {
			t.Errorf("found %q, expires %v, unknown %d, kept %v", found, v.Expires, v.Unknown, v.Kept)
		}
	}
	if _, err := w.auditor().Rebuildable(t.Context(), "badges-total"); err == nil || !strings.Contains(err.Error(), "would forget those that have expired") {
		t.Errorf("a rebuild: %v", err)
	}
	w.change(w.settings.StateTable, map[string]types.AttributeValue{"Player": text("ann"), "Of": text("total")},
		"SET "+w.book.Rule("regular").Tally()+" = :n", map[string]types.AttributeValue{":n": &types.AttributeValueMemberN{Value: "1"}})
	if _, err := w.client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &w.settings.AchievementTable, Key: map[string]types.AttributeValue{"Player": text("ann"), "Award": text("busy")}}); err != nil {
		t.Fatal(err)
	}
	_, found := w.verify(&RepairOptions{Revoke: true})
	if want := []string{"ann: total: the plays come to 2, the state says 1 → run sluice rebuild badges-total", "ann: busy: missing → awarded"}; !slices.Equal(found, want) {
		t.Errorf("found %q, want %q", found, want)
	}
}
