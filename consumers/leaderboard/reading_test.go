package leaderboard

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/shared/consumertest/gametest"
)

// badValues are what an attribute that has to be a number may be instead; nil: it is missing.
var badValues = map[string]types.AttributeValue{
	"missing": nil,
	"text":    &types.AttributeValueMemberS{Value: "5"},
	"boolean": &types.AttributeValueMemberBOOL{Value: true},
	"null":    &types.AttributeValueMemberNULL{Value: true},
	"binary":  &types.AttributeValueMemberB{Value: []byte("5")},
	"list":    &types.AttributeValueMemberL{Value: []types.AttributeValue{}},
	"map":     &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{}},
	"set":     &types.AttributeValueMemberNS{Value: []string{"5"}},
}

func (w *world) putItem(table string, item map[string]types.AttributeValue) {
	w.t.Helper()
	for name, value := range item {
		if value == nil {
			delete(item, name)
		}
	}
	if _, err := w.direct.PutItem(w.t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: item}); err != nil {
		w.t.Fatal(err)
	}
}

func textValue(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func numeral(n any) types.AttributeValue { return &types.AttributeValueMemberN{Value: fmt.Sprint(n)} }

// One item of each bad kind in each table: every question gets all the rest, and names the bad item.
func TestReadingPastABadItem(t *testing.T) {
	w := newWorld(t)
	b := w.board()
	total := func(user string, score any, reached types.AttributeValue) {
		w.putItem(gametest.BoardTable, map[string]types.AttributeValue{gametest.AttrUser: textValue(user), gametest.AttrScore: numeral(score), gametest.AttrShard: numeral(0), gametest.AttrReachedAt: reached})
	}
	bucket := func(level string, bucket int, players types.AttributeValue) {
		w.putItem(gametest.RankTable, map[string]types.AttributeValue{gametest.AttrBoard: textValue(level), gametest.AttrBucket: numeral(bucket), gametest.AttrPlayers: players})
	}
	total("good", 70, numeral(1_800_000_000_000_000))
	for _, level := range []string{"total#1", "total#2", "total#3"} {
		bucket(level, 70, numeral(2))
	}
	for kind, bad := range badValues {
		t.Run(kind, func(t *testing.T) {
			user := "bad-" + kind
			if bad == nil { // the index allows no other kind
				w.putItem(gametest.BoardTable, map[string]types.AttributeValue{gametest.AttrUser: textValue(user), gametest.AttrShard: numeral(0)})
				want := fmt.Sprintf("item %q of %s can't be read: attribute %s is missing", user, gametest.BoardTable, gametest.AttrScore)
				if _, err := b.Rank(t.Context(), user, 1); err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("rank of the bad total: %v", err)
				}
			}
			total("late", 70, bad)
			bucket("total#1", 7_000_000, bad)
			best, err := b.Top(t.Context(), "", 10)
			if err != nil || len(best) != 2 || best[0].Name != "late" || best[1].Name != "good" || (bad != nil) != (best[0].Problem != "") || best[1].Problem != "" {
				t.Errorf("top: %+v, %v", best, err)
			}
			s, err := b.Rank(t.Context(), "good", 5)
			if err != nil || s.From != 2 || s.To != 2 || s.Entries != 2 || len(s.Above) != 1 || len(s.Problems) != 1 || !strings.Contains(s.Problems[0], gametest.AttrPlayers) {
				t.Errorf("rank: %+v, %v", s, err)
			}
		})
	}
	for _, reached := range []any{-1, 1.5, "1e100", "99999999999999999999999999999999999999"} {
		total("late", 70, numeral(reached))
		if best, err := b.Top(t.Context(), "", 10); err != nil || len(best) != 2 || best[0].Problem == "" {
			t.Errorf("a total reached at %v: %+v, %v", reached, best, err)
		}
	}
}
