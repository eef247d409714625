package change

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Fails if the two ways to name an item disagree: a copy's tombstone would not be found.
func TestItemKeyOfAttributeValues(t *testing.T) {
	for _, keys := range []string{
		`{"K":{"S":"a:b"}}`,
		`{"K":{"S":"x"},"A":{"N":"1.50e2"}}`,
		`{"A":{"N":"150"},"K":{"B":"QUFFPQ=="}}`,
	} {
		c := parse(t, "INSERT", "T", microseconds+`"Keys":`+keys+`,"NewImage":{}`)
		got, err := ItemKey("T", c.Keys.AttributeValues())
		if err != nil || got != c.ItemKey() {
			t.Errorf("%s: %q, %v, want %q", keys, got, err, c.ItemKey())
		}
	}
	for _, keys := range []map[string]types.AttributeValue{
		nil,
		{"K": &types.AttributeValueMemberBOOL{Value: true}},
	} {
		if got, err := ItemKey("T", keys); err == nil {
			t.Errorf("%v has the item key %q", keys, got)
		}
	}
}

// Fails if a hash depends on the order of attributes or on how a number is written, or misses a value.
func TestImageHash(t *testing.T) {
	hash := func(image string) uint64 {
		return parse(t, "INSERT", "T", microseconds+`"Keys":{"K":{"S":"x"}},"NewImage":`+image).New.Hash()
	}
	want := hash(`{"A":{"N":"1.0"},"B":{"SS":["x","y"]}}`)
	if got := hash(`{"B":{"SS":["y","x"]},"A":{"N":"1"}}`); got != want {
		t.Errorf("the same image has the hashes %x and %x", want, got)
	}
	if got := hash(`{"B":{"SS":["y","x"]},"A":{"N":"2"}}`); got == want {
		t.Errorf("two images have the hash %x", got)
	}
}

// Fails if what a table holds and its image have other hashes: two versions of an item would not be told apart alike everywhere.
func TestItemHash(t *testing.T) {
	for _, image := range []string{
		`{}`,
		`{"s":{"S":""},"n":{"N":"-1.50E2"},"b":{"B":"QUFFPQ=="},"t":{"BOOL":true},"f":{"BOOL":false},"x":{"NULL":true}}`,
		`{"ss":{"SS":["b","a"]},"ns":{"NS":["2","1.0"]},"bs":{"BS":["QUFFPQ=="]}}`,
		`{"l":{"L":[{"N":"1"},{"L":[]},{"M":{}}]},"m":{"M":{"a":{"S":"b"},"c":{"M":{"d":{"NULL":true}}}}}}`,
	} {
		c := parse(t, "INSERT", "T", microseconds+`"Keys":{"K":{"S":"x"}},"NewImage":`+image)
		if got, want := ItemHash(c.New.AttributeValues()), c.New.Hash(); got != want {
			t.Errorf("%s: %x, want %x", image, got, want)
		}
	}
}
