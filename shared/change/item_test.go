package change

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Fails if an item read from its table is another one than the stream's.
func TestFromItem(t *testing.T) {
	c := parse(t, "INSERT", "T", microseconds+`"Keys":{"k":{"B":"QUFFPQ=="},"r":{"N":"-1.50E2"}},"NewImage":{"k":{"B":"QUFFPQ=="},"r":{"N":"-1.50E2"},
		"s":{"S":"a\"\\\u0000ß"},"t":{"BOOL":true},"f":{"BOOL":false},"x":{"NULL":true},"ss":{"SS":["b","a\n"]},"ns":{"NS":["2","1.0"]},"bs":{"BS":["QUFFPQ==",""]},
		"l":{"L":[{"N":"1"},{"L":[]},{"M":{}}]},"m":{"M":{"a":{"S":""},"c":{"M":{"d":{"NULL":true}}}}}}`)
	at := time.UnixMicro(1_700_000_000_123_456)
	got, err := FromItem("T", []string{"k", "r"}, c.New.AttributeValues(), at)
	if err != nil {
		t.Fatal(err)
	}
	if got.Table != "T" || got.Kind != Insert || !got.Time().Equal(at) || got.ItemKey() != c.ItemKey() {
		t.Errorf("%s of %q at %v, want an INSERT of %q at %v", got.Kind, got.ItemKey(), got.Time(), c.ItemKey(), at)
	}
	if got.New.Hash() != c.New.Hash() || got.Old.Exists() {
		t.Errorf("image %s, want %s", got.New.AppendJSON(nil), c.New.AppendJSON(nil))
	}
	for _, item := range []map[string]types.AttributeValue{
		{},
		{"k": &types.AttributeValueMemberS{Value: "x"}, "l": &types.AttributeValueMemberL{Value: []types.AttributeValue{nil}}},
		{"k": &types.AttributeValueMemberS{Value: "x"}, "n": &types.AttributeValueMemberN{Value: "one"}},
	} {
		if c, err := FromItem("T", []string{"k"}, item, at); err == nil {
			t.Errorf("%v is %+v, want an error", item, c)
		}
	}
}
