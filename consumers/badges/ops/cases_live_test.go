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

// TestCasesAreAsTheFunction plays values of an attribute in every form through the cases and
// through the table and the consumer: numbers that are written in several ways, and what is
// empty, NULL or not there. The badges are the same.
func TestCasesAreAsTheFunction(t *testing.T) {
	w := newAuditWorld(t)
	number := func(text string) types.AttributeValue { return &types.AttributeValueMemberN{Value: text} }
	game := []struct {
		yaml  string // empty: the play has no Game
		value types.AttributeValue
	}{
		{"100", number("100")}, {"1e2", number("1e2")}, {"100.0", number("100.0")}, {"1E+2", number("1E+2")}, {"+100", number("+100")}, {`"100"`, text("100")},
		{"0.10", number("0.10")}, {"1E-1", number("1E-1")}, {"-0", number("-0")}, {"0.0", number("0.0")}, {"1E-130", number("1E-130")}, {"1.5e-7", number("1.5e-7")},
		{"12345678901234567890123456789012345678", number("12345678901234567890123456789012345678")}, {"1e20", number("1e20")},
		{`"1e2"`, text("1e2")}, {"chess", text("chess")}, {`""`, text("")}, {"null", &types.AttributeValueMemberNULL{Value: true}}, {"true", &types.AttributeValueMemberBOOL{Value: true}},
		{"", nil}, {"NO", text("NO")}, {"1.10.0", text("1.10.0")},
	}
	file := "cases:\n"
	for n, g := range game {
		at := fmt.Sprintf("2024-01-15 10:00:%02d", n)
		item := map[string]types.AttributeValue{"UserId": text(fmt.Sprint("player-", n)), "Timestamp": text(at), "Score": number("1")}
		attribute := ""
		if g.value != nil {
			item["Game"], attribute = g.value, ", Game: "+g.yaml
		}
		w.put(gametest.ScoreTable, item)
		out, err := w.client.GetItem(t.Context(), &dynamodb.GetItemInput{
			TableName: aws.String(gametest.ScoreTable), Key: map[string]types.AttributeValue{"UserId": item["UserId"], "Timestamp": item["Timestamp"]},
		})
		if err != nil {
			t.Fatal(err)
		}
		w.plays = append(w.plays, out.Item) // as the table has it
		file += fmt.Sprintf("  - {name: %d, plays: [{UserId: player-%d, Timestamp: %q, Score: 1%s}], badges: []}\n", n, n, at, attribute)
	}
	w.deliver()
	cases, err := OpenCases("cases.yaml", []byte(file), nil)
	if err != nil {
		t.Fatal(err)
	}
	list, err := cases.Of(w.book)
	if err != nil {
		t.Fatal(err)
	}
	for n, one := range list {
		stored, err := w.auditor().giver.Store.List(t.Context(), fmt.Sprint("player-", n))
		if err != nil {
			t.Fatal(err)
		}
		var want, got []string
		for _, a := range stored {
			want = append(want, a.Award.Key())
		}
		for _, m := range one.Run(w.book) {
			got = m.Extra
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("Game: %s earns %q in a case, %q live", game[n].yaml, got, want)
		}
		if empty := game[n].value == nil || slices.Contains([]string{`""`, "null", "true"}, game[n].yaml); empty != !strings.Contains(fmt.Sprint(want), "games##") {
			t.Errorf("Game: %s earns %q", game[n].yaml, want)
		}
	}
}
