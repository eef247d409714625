package view

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
)

// What a play counts for in sums with conditions of their own, on the day of its own
// zone, and what one that isn't as the view needs it leaves.
func TestConditionalSums(t *testing.T) {
	views, err := Parse("views.yaml", []byte(`views:
  - name: plays
    from: {table: Plays, dated: {by: at, zone: {attribute: zone, otherwise: UTC}, earliest: 2000-01-01}}
    into: {table: State, key: {Id: "{player}", Day: "{box}"}}
    box: {of: at, unit: day, zone: {attribute: zone, otherwise: UTC}}
    count: {nines: {score: {is: "9.0"}}, chess: {game: chess}}
    sum: {high: {of: score, where: {score: {atLeast: 5}}}}
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	play := func(game, score, at, zone string) consumertest.Item {
		item := consumertest.Item{"player": consumertest.S("reed"), "game": consumertest.S(game), "score": consumertest.N(score), "at": consumertest.S(at)}
		if zone != "" {
			item["zone"] = consumertest.S(zone)
		}
		return item
	}
	const late = "2024-01-15T23:30:00Z"
	good := play("chess", "9", late, "")
	for _, test := range []struct {
		name     string
		old, new consumertest.Item
		want     []string
		outcome  consumer.Outcome
	}{
		{"all three", nil, good, []string{"2024-01-15 chess=1 high=9 nines=1"}, consumer.Applied},
		{"its own zone", nil, play("go", "9e0", late, "Europe/Berlin"), []string{"2024-01-16 high=9 nines=1"}, consumer.Applied},
		{"none of them", nil, play("go", "1", late, ""), nil, consumer.Skip},
		{"ceases to be one", good, play("chess", "4", late, ""), []string{"2024-01-15 chess=0 high=-9 nines=-1"}, consumer.Applied},
		{"removed", good, nil, []string{"2024-01-15 chess=-1 high=-9 nines=-1"}, consumer.Applied},
		{"a date of long ago", nil, play("chess", "9", "1970-01-01", ""), nil, consumer.Rejected},
		{"no such zone", nil, play("chess", "9", late, "Mars/Olympus"), nil, consumer.Rejected},
		{"not the machine's zone", nil, play("chess", "9", late, "Local"), nil, consumer.Rejected},
		{"corrected", play("chess", "9", "soon", ""), good, []string{"2024-01-15 chess=1 high=9 nines=1"}, consumer.Applied},
		{"spoilt", good, play("chess", "9", "soon", ""), []string{"2024-01-15 chess=-1 high=-9 nines=-1"}, consumer.Rejected},
		{"never counted", play("chess", "9", "soon", ""), nil, nil, consumer.Skip},
	} {
		c, err := change.Parse(consumertest.Change{Table: "Plays", Time: noon, Keys: consumertest.Item{"n": consumertest.N("1")}, Old: test.old, New: test.new}.Record())
		if err != nil {
			t.Fatal(err)
		}
		parts, err := views[0].Contributions(c, horizon)
		var got []string
		for _, p := range parts {
			text := p.Target.Key["Day"].(*types.AttributeValueMemberS).Value
			for _, name := range slices.Sorted(maps.Keys(p.Amount.Add)) {
				text += fmt.Sprintf(" %s=%s", name, p.Amount.Add[name])
			}
			got = append(got, text)
		}
		if diff := cmp.Diff(test.want, got); diff != "" || consumer.OutcomeOf(err) != test.outcome {
			t.Errorf("%s: %v, want %v (-want +got):\n%s", test.name, err, test.outcome, diff)
		}
	}
}

// The comparisons of numbers, each at its border.
func TestNumericConditions(t *testing.T) {
	for compare, want := range map[string][]bool{ // of 1, 2, 3 with 2
		"is": {false, true, false}, "above": {false, false, true}, "atLeast": {false, true, true}, "below": {true, false, false}, "atMost": {true, true, false},
	} {
		views, err := Parse("views.yaml", []byte(fmt.Sprintf(`views:
  - name: v
    from: {table: T, where: {n: {%s: 2}}}
    into: {table: U, key: {Id: all}}
    count: n
`, compare)), nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, holds := range want {
			for _, value := range []consumertest.Value{consumertest.N(fmt.Sprint(i + 1)), consumertest.S(fmt.Sprint(i + 1))} {
				c, err := change.Parse(consumertest.Change{Table: "T", Time: noon, Keys: consumertest.Item{"Id": consumertest.S("a")}, New: consumertest.Item{"n": value}}.Record())
				if err != nil {
					t.Fatal(err)
				}
				_, isNumber := value["N"]
				if _, err := views[0].Contributions(c, horizon); (err == nil) != (holds && isNumber) {
					t.Errorf("%v %s 2: %v", value, compare, err)
				}
			}
		}
	}
}
