package ops

import (
	"fmt"
	"strings"
	"testing"
)

// The dry run has the limits that the function has: what would be a dead letter there is a fault here that names the attribute as the
// file has it. Each value at its limit is played. Fails if the dry run awards what DynamoDB never keeps, or quotes a record that it made.
func TestCasesAtTheLimits(t *testing.T) {
	book := shippedRules(t)
	long := func(n int) string { return strings.Repeat("x", n) }
	const at = `Score: 1, Timestamp: "2024-01-15 10:00:00"`
	award := maxSortKey - len("new-game##")
	state := maxSortKey - len("new-game#Game#")
	for _, c := range []struct{ play, want string }{
		{`{` + at + `, UserId: "` + long(maxPartitionKey) + `"}`, ""},
		{`{` + at + `, UserId: "` + long(maxPartitionKey+1) + `"}`, "has 2049 bytes, and DynamoDB takes at most 2048"},
		{`{` + at + `, UserId: ""}`, "UserId is empty, which no key may be"},
		{`{` + at + `, UserId: null}`, "UserId must be a text"},
		{`{` + at + `, UserId: true}`, "UserId must be a text"},
		{`{Game: x, Timestamp: null}`, "Timestamp must be a text"},
		{`{Score: 1}`, "it has no Timestamp"},
		{`{Score: 1, Timestamp: "` + long(maxSortKey+1) + `"}`, "has 1025 bytes, and DynamoDB takes at most 1024"},
		{`{` + at + `, Game: "` + long(2100) + `"}`, "bytes, and DynamoDB takes at most 1024"},
		{`{` + at + `, Game: "` + long(max(award, state)+1) + `"}`, "bytes, and DynamoDB takes at most 1024"},
		{`{` + at + `, Game: "` + long(900) + `"}`, ""},
		{`{Timestamp: "2024-01-15 10:00:00", Score: 1e500}`, "Score: DynamoDB holds no such number as 1e500"},
		{`{Timestamp: "2024-01-15 10:00:00", Score: 1e999999999}`, "Score: 1e999999999 is no number"},
		{`{Timestamp: "2024-01-15 10:00:00", Score: 1e-131}`, "Score: DynamoDB holds no such number as 1e-131"},
		{`{Timestamp: "2024-01-15 10:00:00", Score: ` + strings.Repeat("1", 39) + `}`, "Score: DynamoDB holds no such number as 111"},
		{`{Timestamp: "2024-01-15 10:00:00", Score: ` + strings.Repeat("1", 38) + `}`, ""},
	} {
		cases, err := OpenCases("c.yaml", []byte("cases:\n  - name: limit\n    plays: ["+c.play+"]\n    badges: []\n"), nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = cases.Of(book)
		got := fmt.Sprint(err)
		if (err == nil) != (c.want == "") || !strings.Contains(got, c.want) || strings.Contains(got, "at byte") || len(got) > 600 {
			t.Errorf("%.80s: %.700s; want %q", c.play, got, c.want)
		}
	}
}
