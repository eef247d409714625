package declaration

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/shared/change"
)

// What a single value means, by how it is written. Fails if a number or a boolean without quotes is compared as a text,
// or a text that only looks like one as something else.
func TestSingleValues(t *testing.T) {
	for written, want := range map[string]string{
		"9": "the number 9", "-9": "the number -9", "0": "the number 0", "9.5": "the number 9.5", "100": "the number 100",
		"true": "the boolean true", "false": "the boolean false", "True": "the boolean true", "FALSE": "the boolean false",
		`"9"`: `the text "9"`, `'9'`: `the text "9"`, `"true"`: `the text "true"`, `'false'`: `the text "false"`, "${LEVEL}": `the text "3"`,
		"NO": `the text "NO"`, "no": `the text "no"`, "on": `the text "on"`, "Yes": `the text "Yes"`, "off": `the text "off"`, "y": `the text "y"`,
		"01234": `the text "01234"`, "1.10": `the text "1.10"`, "1.0": `the text "1.0"`, "1e3": `the text "1e3"`, "+9": `the text "+9"`, "-0": `the text "-0"`,
		"0x1F": `the text "0x1F"`, "0o17": `the text "0o17"`, "0b11": `the text "0b11"`, "1_000": `the text "1_000"`, ".5": `the text ".5"`, "5.": `the text "5."`,
		"2024-01-15": `the text "2024-01-15"`, "10:30": `the text "10:30"`, "chess": `the text "chess"`, "1.2.3": `the text "1.2.3"`,
		"12345678901234567890123456789012345678": "the number 12345678901234567890123456789012345678",
		"{is: 9}":                                "the number 9", `{is: "9"}`: "the number 9", "{atLeast: 1e3}": "a number of at least 1e3", "{prefix: 9}": `a text that begins with "9"`,
		"{exists: true}": "any text or number",
	} {
		r := NewReader("f.yaml", map[string]string{"LEVEL": "3"})
		root, ok := r.Parse([]byte("k: " + written + "\n"))
		if !ok {
			t.Fatalf("%s: %v", written, r.Err())
		}
		conditions := r.Conditions(root, "where")
		if err := r.Err(); err != nil || len(conditions) != 1 || conditions[0].String() != "k is "+want {
			t.Errorf("%s is %v, %v; want %s", written, conditions, err, want)
		}
	}
	for written, want := range map[string]string{
		"123456789012345678901234567890123456789": "at most 38 digits", "{is: 1e126}": "holds no such number", "{above: 1e-131}": "holds no such number",
		"{is: true}": "must be a number", "{boolean: true}": "unknown key", "null": "is missing", "~": "is missing", `""`: "has no value", `{prefix: ""}`: "has no value", "{above: 3, below: 9}": "exactly one of", "{}": "exactly one of", "[1]": "must be a single value",
		".inf": "not understood", ".nan": "not understood",
	} {
		r := NewReader("f.yaml", nil)
		if root, ok := r.Parse([]byte("k: " + written + "\n")); ok {
			r.Conditions(root, "where")
		}
		if err := r.Err(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %s", written, err, want)
		}
	}
}

// Each condition against a value of each type: it holds for those of its own type that are as it says, and no others.
func TestConditionsOfTypes(t *testing.T) {
	values := map[string]types.AttributeValue{
		"S 9": &types.AttributeValueMemberS{Value: "9"}, "S true": &types.AttributeValueMemberS{Value: "true"}, "S empty": &types.AttributeValueMemberS{},
		"N 9": &types.AttributeValueMemberN{Value: "9"}, "N 9.0": &types.AttributeValueMemberN{Value: "9.0"}, "N 10": &types.AttributeValueMemberN{Value: "10"},
		"true": &types.AttributeValueMemberBOOL{Value: true}, "false": &types.AttributeValueMemberBOOL{},
		"NULL": &types.AttributeValueMemberNULL{Value: true}, "B": &types.AttributeValueMemberB{Value: []byte("9")}, "M": &types.AttributeValueMemberM{},
		"L": &types.AttributeValueMemberL{}, "SS": &types.AttributeValueMemberSS{Value: []string{"9"}}, "NS": &types.AttributeValueMemberNS{Value: []string{"9"}}, "absent": nil,
	}
	for written, holds := range map[string]string{
		"9": "N 9, N 9.0", `"9"`: "S 9", "true": "true", "false": "false", `"true"`: "S true", "{atLeast: 9}": "N 9, N 9.0, N 10", "{prefix: t}": "S true",
		"{exists: true}": "S 9, S true, S empty, N 9, N 9.0, N 10",
	} {
		r := NewReader("f.yaml", nil)
		root, _ := r.Parse([]byte("k: " + written + "\n"))
		conditions := r.Conditions(root, "where")
		if err := r.Err(); err != nil {
			t.Fatal(err)
		}
		for name, v := range values {
			want := strings.Contains(", "+holds+",", ", "+name+",")
			got := AllHold(conditions, map[string]types.AttributeValue{"k": v})
			if got != want {
				t.Errorf("%s holds for %s: %v", written, name, got)
			}
			if v == nil {
				continue
			}
			c, err := change.FromItem("T", []string{"id"}, map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "x"}, "k": v}, anyTime)
			if err != nil {
				t.Fatal(err)
			}
			if got := AllHoldIn(conditions, c.Keys, c.New); got != want {
				t.Errorf("%s holds for %s in an image: %v", written, name, got)
			}
		}
	}
	if text := Where(nil); text != "" {
		t.Errorf("no conditions are %q", text)
	}
	if text := fmt.Sprint(Where([]Condition{{Attribute: Whole("a"), Text: "x"}, {Attribute: Whole("b"), Compare: boolean, Text: "true"}})); text != `where a is the text "x", b is the boolean true` {
		t.Error(text)
	}
}

var anyTime = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
