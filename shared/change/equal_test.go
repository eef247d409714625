package change_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/shared/change"
)

type (
	value = types.AttributeValue
	text  = types.AttributeValueMemberS
	num   = types.AttributeValueMemberN
	bin   = types.AttributeValueMemberB
	truth = types.AttributeValueMemberBOOL
	null  = types.AttributeValueMemberNULL
	list  = types.AttributeValueMemberL
	obj   = types.AttributeValueMemberM
	texts = types.AttributeValueMemberSS
	nums  = types.AttributeValueMemberNS
	bins  = types.AttributeValueMemberBS
)

// groups has values in groups: those of one group are equal, and no others are. Fails if numbers are compared as text or
// as floats, sets with their order, or two types as one.
var groups = [][]value{
	{&num{Value: "13.1"}, &num{Value: "13.10"}, &num{Value: "1.31e1"}, &num{Value: "131E-1"}, &num{Value: "+13.1"}},
	{&num{Value: "0"}, &num{Value: "-0"}, &num{Value: "0.00"}, &num{Value: "0E10"}},
	{&num{Value: "100"}, &num{Value: "1e2"}, &num{Value: "1E+2"}},
	{&num{Value: "-100"}, &num{Value: "-1e2"}},
	{&num{Value: "12345678901234567890123456789012345678"}},
	{&num{Value: "12345678901234567890123456789012345679"}},
	{&num{Value: "1E-130"}}, {&num{Value: "2E-130"}},
	{&text{Value: "100"}}, {&text{Value: "1e2"}}, {&text{Value: ""}}, {&text{Value: "e\u0301"}}, {&text{Value: "\u00e9"}},
	{&bin{Value: []byte("100")}}, {&bin{Value: nil}, &bin{Value: []byte{}}},
	{&truth{Value: true}}, {&truth{Value: false}}, {&null{Value: true}},
	{&texts{Value: []string{"a", "b"}}, &texts{Value: []string{"b", "a"}}}, {&texts{Value: []string{"a"}}},
	{&texts{Value: []string{"1", "1.0"}}},
	{&nums{Value: []string{"1", "20"}}, &nums{Value: []string{"2e1", "1.0"}}}, {&nums{Value: []string{"1"}}},
	{&bins{Value: [][]byte{{1}, {2}}}, &bins{Value: [][]byte{{2}, {1}}}},
	{&list{Value: []value{&num{Value: "1"}, &num{Value: "2"}}}, &list{Value: []value{&num{Value: "1.0"}, &num{Value: "2"}}}},
	{&list{Value: []value{&num{Value: "2"}, &num{Value: "1"}}}}, {&list{}},
	{&obj{Value: map[string]value{"a": &num{Value: "1"}}}, &obj{Value: map[string]value{"a": &num{Value: "1.0"}}}},
	{&obj{Value: map[string]value{"a": &num{Value: "1"}, "b": &null{Value: true}}}},
	{&obj{}, &obj{Value: map[string]value{}}},
}

func TestEqual(t *testing.T) {
	for i, group := range groups {
		for _, a := range group {
			for j, other := range groups {
				for _, b := range other {
					if got := change.Equal(a, b); got != (i == j) {
						t.Errorf("%s and %s: equal is %v", change.Preview(a), change.Preview(b), got)
					}
					one, two := map[string]value{"x": a}, map[string]value{"x": b}
					if got := change.Differences(one, two, 10); (len(got) == 0) != (i == j) {
						t.Errorf("%s and %s: differences are %v", change.Preview(a), change.Preview(b), got)
					}
					if change.EqualItems(one, two) != (i == j) || change.EqualItems(one, nil) {
						t.Errorf("items of %s and %s are compared otherwise", change.Preview(a), change.Preview(b))
					}
				}
			}
		}
	}
	if change.Equal(nil, nil) || change.Equal(&num{Value: "1"}, nil) {
		t.Error("nothing equals something")
	}
}

// Items of the same hash are those that are equal.
func TestEqualIsAsHash(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	pick := func() value {
		group := groups[random.IntN(len(groups))]
		return group[random.IntN(len(group))]
	}
	for range 2000 {
		a, b := map[string]value{"x": pick()}, map[string]value{"x": pick()}
		if n, ok := a["x"].(*num); ok && strings.HasPrefix(n.Value, "+") {
			continue // hashes are of values that DynamoDB wrote
		}
		if n, ok := b["x"].(*num); ok && strings.HasPrefix(n.Value, "+") {
			continue
		}
		if change.EqualItems(a, b) != (change.ItemHash(a) == change.ItemHash(b)) {
			t.Fatalf("seed %d: %s and %s are equal: %v, hashes: %v", seed, change.Preview(a["x"]), change.Preview(b["x"]), change.EqualItems(a, b), change.ItemHash(a) == change.ItemHash(b))
		}
	}
}

func TestDifferences(t *testing.T) {
	a := map[string]value{
		"total": &num{Value: "13.10"}, "name": &text{Value: "ann"}, "gone": &truth{Value: true}, "a.b": &num{Value: "1"},
		"address": &obj{Value: map[string]value{"lines": &list{Value: []value{&text{Value: "x"}, &text{Value: "y"}}}}},
		"big":     &text{Value: strings.Repeat("ü", 400_000)}, "raw": &bin{Value: make([]byte, 400_000)}, "tags": &texts{Value: []string{"f", "e", "d", "c", "b", "a"}},
	}
	b := map[string]value{
		"total": &num{Value: "13.1"}, "name": &text{Value: "a\x1bnn"}, "new": &null{Value: true}, "a.b": &text{Value: "1"},
		"address": &obj{Value: map[string]value{"lines": &list{Value: []value{&text{Value: "x"}, &text{Value: "z"}, &num{Value: "3"}}}}},
		"big":     &text{Value: "ü"}, "raw": &bin{Value: []byte{1}}, "tags": &texts{},
	}
	var got []string
	for _, d := range change.Differences(a, b, 100) {
		if len(d.String()) > 400 {
			t.Errorf("%s has %d bytes", d.Path, len(d.String()))
			continue
		}
		got = append(got, d.String())
	}
	want := strings.Join([]string{
		`"a.b": 1, "1"`,
		`address.lines[1]: "y", "z"`,
		`address.lines[2]: absent, 3`,
		`big: "` + strings.Repeat("ü", 60) + `"… (400000 characters), "ü"`,
		`gone: true, absent`,
		`name: "ann", "a\x1bnn"`,
		`new: absent, NULL`,
		`raw: 0x` + strings.Repeat("00", 60) + `… (400000 bytes), 0x01`,
		`tags: {"a", "b", "c", "d", "e", … (6 members)}, {}`,
	}, "\n")
	if strings.Join(got, "\n") != want {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
	if got := change.Differences(a, b, 2); len(got) != 2 {
		t.Errorf("%d differences instead of 2", len(got))
	}
}
