package mark

import (
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/shared/change"
	"sluice/shared/consumertest"
)

// Fails if the clock doesn't decide first, or a number is written so that bytes
// don't sort as it does.
func TestOrder(t *testing.T) {
	marks := []Mark{
		"",
		New(1, 900, 1, "us-east-1"),
		New(255, 1, 9, "us-east-1"),
		New(256, 1, 9, "us-east-1"),
		New(1<<40, 5, 9, "us-east-1"),
		New(1<<40, 6, 1, "eu-west-1"),
		New(1<<40, 6, 1, "us-east-1"),
		New(1<<40, 6, 2, "eu-west-1"),
	}
	if !slices.IsSorted(marks) {
		t.Errorf("the marks are not in order: %x", marks)
	}
	m := marks[4]
	if m.Clock() != 1<<40 || m.Created() != 5 || m.Region() != "us-east-1" {
		t.Errorf("%x holds clock %d, time %d, region %s", m, m.Clock(), m.Created(), m.Region())
	}
}

func TestTies(t *testing.T) {
	m := New(5, 5, 1, "r")
	for other, want := range map[Mark]bool{
		m: false, "": false, New(5, 5, 2, "r"): true, New(5, 6, 1, "r"): false, New(6, 5, 1, "r"): false,
	} {
		if m.Ties(other) != want || other.Ties(m) != want {
			t.Errorf("%x and %x tie: want %v", m, other, want)
		}
	}
}

// Two modifies of one item in one microsecond have the same change.ID; fails if
// they have the same mark, so that the first one to come would stay.
func TestMarkTellsImagesApart(t *testing.T) {
	key := consumertest.Item{"Id": consumertest.S("x")}
	modify := func(to string, milliseconds bool) Mark {
		c, err := change.Parse(consumertest.Change{
			Table: "T", Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Keys: key, Milliseconds: milliseconds,
			Old: key, New: consumertest.Item{"Id": key["Id"], "A": consumertest.S(to)},
		}.Record())
		if err != nil {
			t.Fatal(err)
		}
		return Of(c, "r")
	}
	for _, milliseconds := range []bool{false, true} {
		first, again, other := modify("a", milliseconds), modify("a", milliseconds), modify("b", milliseconds)
		if !first.Ties(other) {
			t.Errorf("milliseconds %v: two changes have the marks %x and %x, want a tie", milliseconds, first, other)
		}
		if first != again {
			t.Errorf("milliseconds %v: one change has two marks", milliseconds)
		}
	}
}

// Fails if an attribute of somebody else is taken for a mark.
func TestIn(t *testing.T) {
	m := New(5, 5, 1, "r")
	attribute := func(v types.AttributeValue) map[string]types.AttributeValue {
		return map[string]types.AttributeValue{Attribute: v}
	}
	if got, err := In(attribute(&types.AttributeValueMemberM{Value: map[string]types.AttributeValue{Field: m.Value()}})); got != m || err != nil {
		t.Errorf("got %x, %v, want %x", got, err, m)
	}
	if got, err := In(nil); got != "" || err != nil {
		t.Errorf("no mark is %x, %v", got, err)
	}
	for name, v := range map[string]types.AttributeValue{
		"text":      &types.AttributeValueMemberS{Value: "mine"},
		"empty map": &types.AttributeValueMemberM{},
		"too short": &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{Field: &types.AttributeValueMemberB{Value: []byte{1}}}},
	} {
		if got, err := In(attribute(v)); err == nil {
			t.Errorf("%s is the mark %x", name, got)
		}
	}
}
