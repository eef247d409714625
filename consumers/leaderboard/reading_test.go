package leaderboard

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/shopspring/decimal"

	"sluice/consumers/leaderboard/boards"
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
	buckets, err := b.Buckets()
	if err != nil {
		t.Fatal(err)
	}
	total := func(user string, score any, reached types.AttributeValue) {
		w.putItem(b.BoardTable, map[string]types.AttributeValue{boards.AttrUser: textValue(user), boards.AttrScore: numeral(score), boards.AttrShard: numeral(0), boards.AttrReachedAt: reached})
	}
	total("good", 70, numeral(1_800_000_000_000_000))
	for _, bucket := range buckets {
		w.putItem(b.RankTable, map[string]types.AttributeValue{boards.AttrBoard: textValue(boards.RankBoard(bucket)), boards.AttrBucket: numeral(bucket.Of(decimal.NewFromInt(70))), boards.AttrPlayers: numeral(2)})
	}
	for kind, bad := range badValues {
		t.Run(kind, func(t *testing.T) {
			user := "bad-" + kind
			for n, score := range []types.AttributeValue{numeral(5), bad, numeral(6)} {
				w.putItem(b.ScoreTable, map[string]types.AttributeValue{boards.AttrUser: textValue(user), boards.AttrTimestamp: textValue(fmt.Sprintf("2026-11-30 08:00:0%d.000000", n)), boards.AttrScore: score})
			}
			events, err := b.History(t.Context(), user, 10)
			if err != nil || len(events) != 3 || events[0].Score.String() != "6" || events[2].Score.String() != "5" || events[1].Score != nil || !strings.Contains(events[1].Problem, boards.AttrScore) {
				t.Errorf("history: %+v, %v", events, err)
			}

			if bad == nil { // the index allows no other kind
				w.putItem(b.BoardTable, map[string]types.AttributeValue{boards.AttrUser: textValue(user), boards.AttrShard: numeral(0)})
				want := fmt.Sprintf("a total of %s can't be read: player %q: attribute %s is missing", b.BoardTable, user, boards.AttrScore)
				if _, err := b.Rank(t.Context(), user, 1); err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("rank of the bad total: %v", err)
				}
			}
			total("late", 70, bad)
			w.putItem(b.RankTable, map[string]types.AttributeValue{boards.AttrBoard: textValue(boards.RankBoard(buckets[0])), boards.AttrBucket: numeral(buckets[0].Of(decimal.NewFromInt(7_000_000))), boards.AttrPlayers: bad})
			best, err := b.Top(t.Context(), 10)
			if err != nil || len(best) != 2 || best[0].User != "late" || best[1].User != "good" || (bad != nil) != (best[0].Problem != "") || best[1].Problem != "" {
				t.Errorf("top: %+v, %v", best, err)
			}
			s, err := b.Rank(t.Context(), "good", 5)
			if err != nil || s.From != 2 || s.To != 2 || s.Players != 2 || len(s.Above) != 1 || len(s.Problems) != 1 || !strings.Contains(s.Problems[0], boards.AttrPlayers) {
				t.Errorf("rank: %+v, %v", s, err)
			}
		})
	}
	for _, reached := range []any{-1, 1.5, "1e100", "99999999999999999999999999999999999999"} {
		total("late", 70, numeral(reached))
		if best, err := b.Top(t.Context(), 10); err != nil || len(best) != 2 || best[0].Problem == "" {
			t.Errorf("a total reached at %v: %+v, %v", reached, best, err)
		}
	}
}
