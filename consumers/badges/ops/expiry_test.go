package ops

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/shared/consumertest/gametest"
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
		TableName: aws.String(gametest.ScoreTable), TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("ExpiresAt"), Enabled: aws.Bool(true)},
	}); err != nil {
		t.Fatal(err)
	}
	for _, play := range plays[:4] {
		key := map[string]types.AttributeValue{"UserId": play["UserId"], "Timestamp": play["Timestamp"]}
		if _, err := w.client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String(gametest.ScoreTable), Key: key}); err != nil {
			t.Fatal(err)
		}
	}
	w.backfill(false) // Rex
	for _, r := range []*repair{nil, {remove: true}} {
		report, c, found := w.verify(r)
		if notes := fmt.Sprint(report.Notes); len(found) > 0 || !strings.Contains(notes, "Plays expire and stay counted") || strings.Contains(notes, " 0 numbers") || len(c.Kept) > 0 {
			t.Errorf("found %q, it says %s, kept %v", found, notes, c.Kept)
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
	_, _, found := w.verify(&repair{remove: true})
	if want := []string{"ann: busy: missing → awarded", "ann: total of first, regular: miscounted: the plays come to 2, the state says 1: sluice rebuild badges-total"}; !slices.Equal(found, want) {
		t.Errorf("found %q, want %q", found, want)
	}
}
