package bridge

import "testing"

func TestBatchLength(t *testing.T) {
	ordered := func(key string, bytes int) outgoing { return outgoing{key: key, data: make([]byte, bytes)} }
	loose := func(key string, bytes int) outgoing { return outgoing{key, make([]byte, bytes), true} }
	many := func(n int, bytes int) (records []outgoing) {
		for i := range n {
			records = append(records, ordered(string(rune('a'+i)), bytes))
		}
		return records
	}
	tests := []struct {
		name    string
		records []outgoing
		want    int
	}{
		{"none", nil, 0},
		{"all", many(3, 10), 3},
		{"up to the second of an item", []outgoing{ordered("a", 1), ordered("b", 1), ordered("a", 1), ordered("c", 1)}, 2},
		{"a repeat does not end it", []outgoing{ordered("a", 1), loose("a", 1), loose("a", 1), ordered("c", 1)}, 4},
		{"nor a record after a repeat", []outgoing{loose("a", 1), ordered("a", 1)}, 2},
		{"500 records", many(501, 1), 500},
		{"just 5 MiB", append(many(5, maxRecordBytes-1), ordered("", 0)), 6},
		{"over 5 MiB", append(many(5, maxRecordBytes-1), ordered("", 1)), 5},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := batchLength(test.records); got != test.want {
				t.Errorf("batchLength = %d, want %d", got, test.want)
			}
		})
	}
}
