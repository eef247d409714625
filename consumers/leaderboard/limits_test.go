package leaderboard

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/deploy/local/servers/servertest"
	"sluice/deploy/local/template"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/gametest"
	"sluice/shared/keeper"
)

// limitedViews have every key of a view, made of what items hold, and all that a view can keep.
const limitedViews = `
  - name: everything
    from: {table: UserScoreEvents, insertOnly: true, subtractExpired: false}
    into:
      table: Everything
      key: {Board: "total#{UserId}", Part: "part#{Part}"}
    sum: {Sum: Score}
    count: Count
    since: Since
    latest: {Last: Note}
    smallest: {Low: Score}
    largest: {High: Score}
  - name: levels
    from: {table: UserScoreEvents, insertOnly: true, subtractExpired: false}
    into: {table: Levels, key: {Board: levels, Level: {number: "{Level}"}}}
    count: Count
`

// sourced is an item of one of the sources, and makes its change.
type sourced struct {
	table      string
	keys       []string
	attributes consumertest.Item
}

// The sources' items as they should be. Each case changes one attribute.
func scoreOf(user string) sourced {
	_, image := event(user, 1, "5")
	image["Part"], image["Note"], image["Level"] = consumertest.S("one"), consumertest.S("x"), consumertest.N("1")
	return sourced{gametest.ScoreTable, []string{gametest.AttrUser, gametest.AttrTimestamp}, image}
}

func activityOf(pet string) sourced {
	return sourced{gametest.PetTable, []string{"PK", "SK"}, activity(1, pet, "2026-01-01T10:00:00Z", "walk")}
}

func totalOf(user string) sourced {
	return sourced{gametest.BoardTable, []string{gametest.AttrUser}, consumertest.Item{gametest.AttrUser: consumertest.S(user), gametest.AttrScore: consumertest.N("5")}}
}

func (s sourced) change(t *testing.T, n int) *change.Change {
	t.Helper()
	keys := consumertest.Item{}
	for _, name := range s.keys {
		keys[name] = s.attributes[name]
	}
	c, err := change.Parse(consumertest.Change{Table: s.table, Time: at(n), Keys: keys, New: s.attributes}.Record())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestLimits changes each attribute of each source, to values at and past each limit of DynamoDB, beside healthy changes of the
// same players, pets and buckets. Fails if a change has to come again while the tables are well, if a neighbour isn't
// applied, or if a dead letter names neither the attribute nor the limit.
func TestLimits(t *testing.T) {
	const partitionKey, sortKey, item = 2048, 1024, 400 << 10 // bytes
	text := func(n int) consumertest.Value { return consumertest.S(strings.Repeat("x", n)) }
	digits := strings.Repeat("9", 38)
	w := newWorld(t)
	keeper := w.limited()
	n := 0
	for _, test := range []struct {
		attribute string
		of        func(name string) sourced
		values    map[string]consumertest.Value // nil: the attribute is missing
		refused   map[string]string             // by the value's name: what its dead letter says
	}{
		{gametest.AttrUser, scoreOf, map[string]consumertest.Value{
			"1 byte": text(1), "at the template's limit": text(partitionKey - len("total#")), "past the template's limit": text(partitionKey - len("total#") + 1),
			"at the limit": text(partitionKey), "past the limit": text(partitionKey + 1), "empty": text(0), "number": consumertest.N("12"), "binary": consumertest.B([]byte("x")), "like a group": consumertest.S("//x"),
		}, map[string]string{"past the template's limit": "Board would have 2049 bytes", "at the limit": "Board would have 2054 bytes", "past the limit": "UserId would have 2049 bytes",
			"empty": "UserId would be empty", "binary": `"UserId"`}},
		{"Part", scoreOf, map[string]consumertest.Value{
			"empty": text(0), "at the limit": text(sortKey - len("part#")), "past the limit": text(sortKey - len("part#") + 1), "missing": nil, "list": {"L": []any{}},
		}, map[string]string{"past the limit": "Part would have 1025 bytes", "missing": `"Part"`, "list": `"Part"`}},
		{gametest.AttrScore, scoreOf, map[string]consumertest.Value{
			"37 digits": consumertest.N(digits[1:]), "38 digits": consumertest.N(digits), "as many below": consumertest.N("-" + digits), "fraction": consumertest.N("0." + digits),
			"largest": consumertest.N("9.9999999999999999999999999999999999999E+125"), "smallest": consumertest.N("1E-130"), "zero": consumertest.N("-0.00"),
			"text": consumertest.S("5"), "missing": nil, "numbers": {"NS": []string{"5"}}, "null": {"NULL": true},
		}, map[string]string{"38 digits": "38 digits", "largest": "38 digits", "smallest": "38 digits", "fraction": "38 digits", "text": `"Score"`, "missing": `"Score"`, "numbers": `"Score"`, "null": `"Score"`}},
		{gametest.AttrTimestamp, scoreOf, map[string]consumertest.Value{
			"first year": consumertest.S("0001-01-01T00:00:00Z"), "last year": consumertest.S("9999-12-31T23:59:59.999999Z"), "date": consumertest.S("2026-01-01"),
			"long": text(sortKey), "empty": text(0), "number": consumertest.N("1767225600"),
		}, map[string]string{"long": `"Timestamp"`, "empty": `"Timestamp"`, "number": `"Timestamp"`}},
		{"Note", scoreOf, map[string]consumertest.Value{
			"empty": text(0), "large": text(item - 1000), "too large": text(item), "deep": nested(31), "too deep": nested(33), "null": {"NULL": true}, "empty set": {"SS": []string{}}, "missing": nil,
		}, map[string]string{"too large": fmt.Sprintf("Last has %d bytes", item), "too deep": "", "empty set": "", "missing": `"Note"`}},
		{"Level", scoreOf, map[string]consumertest.Value{
			"largest": consumertest.N("9.9E+125"), "smallest": consumertest.N("1E-130"), "text": consumertest.S("007"), "no number": consumertest.S("x"), "huge": consumertest.S("1E+999999999"), "tiny": consumertest.S("1E-999999999"),
			"long": consumertest.S(digits + "9"), "past the limit": consumertest.S("1E+126"), "empty": text(0),
		}, map[string]string{"no number": "Level", "huge": "Level", "tiny": "Level", "long": "Level", "past the limit": "Level", "empty": "Level"}},
		{"petId", activityOf, map[string]consumertest.Value{
			"empty": text(0), "at the limit": text(sortKey - len("PET#")), "past the limit": text(sortKey - len("PET#") + 1),
			"at the other limit": text(partitionKey - len("PET#")), "past both limits": text(partitionKey - len("PET#") + 1), "number": consumertest.N("1E+125"), "binary": consumertest.B([]byte("x")), "missing": nil,
		}, map[string]string{"past the limit": "SK would have 1025 bytes", "at the other limit": "SK would have 2048 bytes", "past both limits": "PK would have 2049 bytes", "binary": `"petId"`, "missing": `"petId"`}},
		{"timestamp", activityOf, map[string]consumertest.Value{"date": consumertest.S("2026-01-01"), "text": text(9), "number": consumertest.N("1"), "missing": nil},
			map[string]string{"text": `"timestamp"`, "number": `"timestamp"`, "missing": `"timestamp"`}},
		{"type", activityOf, map[string]consumertest.Value{"empty": text(0), "map": {"M": map[string]any{}}, "large": text(item - 1000), "too large": text(item), "missing": nil},
			map[string]string{"too large": fmt.Sprintf("lastActivity has %d bytes", item), "missing": `"type"`}},
		{"entityType", activityOf, map[string]consumertest.Value{"empty": text(0), "number": consumertest.N("1"), "missing": nil}, nil},
		{gametest.AttrScore, totalOf, map[string]consumertest.Value{
			"largest": consumertest.N("9.9999999999999999999999999999999999999E+125"), "below": consumertest.N("-9.99E+125"), "smallest": consumertest.N("1E-130"), "zero": consumertest.N("0"), "text": consumertest.S("5"), "missing": nil,
		}, map[string]string{"text": `"Score"`, "missing": `"Score"`}},
		{gametest.AttrUser, totalOf, map[string]consumertest.Value{"long": text(partitionKey), "too long": text(partitionKey + 1), "empty": text(0), "number": consumertest.N("5")}, nil},
	} {
		for _, kind := range slices.Sorted(maps.Keys(test.values)) {
			n++
			name := fmt.Sprintf("item-%d", n)
			odd := test.of(name)
			if odd.attributes[test.attribute] = test.values[kind]; test.values[kind] == nil {
				delete(odd.attributes, test.attribute)
			}
			batch := []*change.Change{test.of(name).change(t, 10*n), test.of("beside-"+name).change(t, 10*n+1), odd.change(t, 10*n+4), test.of(name).change(t, 10*n+3)}
			for _, delivery := range []string{"first", "second"} {
				for i, err := range keeper.ApplyBatch(t.Context(), batch) {
					said, refused := test.refused[kind]
					refused = refused && i == 2
					switch outcome := consumer.OutcomeOf(err); {
					case refused && outcome != consumer.Rejected, !refused && (outcome == consumer.Rejected || outcome == consumer.Retry):
						t.Errorf("%s of %s, %s: %s delivery, change %d is %v: %.400v", test.attribute, odd.table, kind, delivery, i, outcome, err)
					case refused && !strings.Contains(err.Error(), said):
						t.Errorf("%s of %s, %s: the dead letter doesn't say %q: %.600v", test.attribute, odd.table, kind, said, err)
					}
				}
			}
			if test.of(name).table == gametest.ScoreTable {
				if got := w.item(gametest.BoardTable, gametest.AttrUser, "beside-"+name); change.TextOf(got[gametest.AttrUser]) == "" || got[gametest.AttrScore].(*types.AttributeValueMemberN).Value != "5" {
					t.Errorf("%s, %s: the neighbour has %v", test.attribute, kind, got)
				}
			}
		}
	}
}

// nested is a list within a list, so many levels in all.
func nested(levels int) consumertest.Value {
	value := consumertest.S("x")
	for range levels {
		value = consumertest.Value{"L": []any{value}}
	}
	return value
}

// A player's scores before and after one whose sum DynamoDB can't hold: 1E+37 and 0.001 together have 41 digits. Fails
// if the others wait for it, or if the dead letter doesn't name the sum.
func TestSumPastTheLimit(t *testing.T) {
	w := newWorld(t)
	var batch []*change.Change
	for n, score := range []string{"1", "1E+37", "7", "0.001", "2"} {
		s := scoreOf("reed")
		s.attributes[gametest.AttrScore] = consumertest.N(score)
		batch = append(batch, s.change(t, n))
	}
	keeper := w.limited()
	for range 2 {
		for i, err := range keeper.ApplyBatch(t.Context(), batch) {
			outcome := consumer.OutcomeOf(err)
			if want := i == 3; outcome == consumer.Retry || (outcome == consumer.Rejected) != want {
				t.Errorf("score %d is %v: %v", i, outcome, err)
			}
			for _, said := range []string{"Score is 1", "with 0.001 more", "at most 38 digits", "view leaderboard", "view daily", "view everything"} {
				if i == 3 && !strings.Contains(fmt.Sprint(err), said) {
					t.Errorf("the dead letter doesn't say %q: %v", said, err)
				}
			}
		}
	}
	if got := w.item(gametest.BoardTable, gametest.AttrUser, "reed")[gametest.AttrScore].(*types.AttributeValueMemberN).Value; got != "10000000000000000000000000000000000010" {
		t.Errorf("the total is %s", got)
	}
}

// Somebody fills a view's item up to DynamoDB's limit, so that it can't remember one more change. The next change is a dead
// letter that says so, and a pet beside it is counted.
func TestItemPastTheLimit(t *testing.T) {
	const most = 400 << 10
	w := newWorld(t)
	padding := most - len("PK"+"LEADERBOARD"+"SK"+"PET#rex"+"activityCount"+"Note") - 10
	w.put(gametest.PetTable, map[string]types.AttributeValue{
		"PK": &types.AttributeValueMemberS{Value: "LEADERBOARD"}, "SK": &types.AttributeValueMemberS{Value: "PET#rex"},
		"activityCount": &types.AttributeValueMemberN{Value: "3"}, "Note": &types.AttributeValueMemberS{Value: strings.Repeat("x", padding)},
	})
	errs := w.limited().ApplyBatch(t.Context(), []*change.Change{activityOf("rex").change(t, 1), activityOf("max").change(t, 2)})
	if consumer.OutcomeOf(errs[0]) != consumer.Rejected || !strings.Contains(errs[0].Error(), fmt.Sprint(most)) || consumer.OutcomeOf(errs[1]) != consumer.Applied {
		t.Errorf("%v, want a rejection that names the limit, and the other pet counted", errs)
	}
}

// limited returns an instance that keeps the shipped views and limitedViews.
func (w *world) limited() *keeper.Keeper {
	w.t.Helper()
	path, text, err := gametest.Declarations().Read(ViewsFile)
	if err != nil {
		w.t.Fatal(err)
	}
	views, err := Views(gametest.With(ViewsFile, path, string(text)+limitedViews))
	if err != nil {
		w.t.Fatal(err)
	}
	servertest.CreateTable(w.t, w.direct, "Everything", "Board", "Part")
	w.createTable(template.Table{
		Name: "Levels",
		Attributes: []types.AttributeDefinition{
			{AttributeName: aws.String("Board"), AttributeType: types.ScalarAttributeTypeS}, {AttributeName: aws.String("Level"), AttributeType: types.ScalarAttributeTypeN},
		},
		Keys: []types.KeySchemaElement{{AttributeName: aws.String("Board"), KeyType: types.KeyTypeHash}, {AttributeName: aws.String("Level"), KeyType: types.KeyTypeRange}},
	})
	k := keeper.New(w.direct, views, w.ledger, DefaultHorizon)
	k.Now = func() time.Time { return consumertest.Arrival }
	return k
}
