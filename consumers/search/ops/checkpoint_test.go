package ops

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
)

// A checkpoint that is stored in an index is read with keys of every type. Fails if the stored form changes: a reindex that is under way
// during an upgrade would skip items.
func TestStoredCheckpoint(t *testing.T) {
	const stored = `{"definition":"x","announced":"2026-01-02T03:04:05Z","segments":[{"after":{"b":{"B":"AP8="},"n":{"N":"1.5"},"s":{"S":"ü#"}}},{"done":true},{}]}`
	var c checkpoint
	if err := json.Unmarshal([]byte(stored), &c); err != nil {
		t.Fatal(err)
	}
	cursors, err := c.cursors()
	if err != nil || len(cursors) != 3 || cursors[0].Done || !cursors[1].Done || cursors[1].After != nil || cursors[2].Done || cursors[2].After != nil {
		t.Fatalf("%+v, %v", cursors, err)
	}
	key := cursors[0].After
	b, _ := key["b"].(*types.AttributeValueMemberB)
	n, _ := key["n"].(*types.AttributeValueMemberN)
	s, _ := key["s"].(*types.AttributeValueMemberS)
	if len(key) != 3 || b == nil || string(b.Value) != "\x00\xff" || n == nil || n.Value != "1.5" || s == nil || s.Value != "ü#" {
		t.Errorf("the key is read as %v", key)
	}
	for segment, at := range cursors[:2] {
		if c.Segments[segment], err = cursorAt(at); err != nil {
			t.Fatal(err)
		}
	}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var got, want any
	if err := errors.Join(json.Unmarshal(text, &got), json.Unmarshal([]byte(stored), &want)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("it is stored in another form (-want +got):\n%s", diff)
	}
}
