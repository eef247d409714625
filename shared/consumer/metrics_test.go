package consumer

import (
	"bytes"
	"maps"
	"slices"
	"testing"
	"time"
)

func TestWriteMetrics(t *testing.T) {
	var out bytes.Buffer
	c := counts{changeToEffect: []time.Duration{1500 * time.Millisecond, 20 * time.Millisecond}}
	c.outcomes[Applied], c.outcomes[Retry] = 2, 1
	if err := writeMetrics(&out, "leaderboard", time.UnixMilli(1767323045000), &c); err != nil {
		t.Fatal(err)
	}
	const want = `{"_aws":{"Timestamp":1767323045000,"CloudWatchMetrics":[{"Namespace":"Sluice","Dimensions":[["Consumer"]],"Metrics":[` +
		`{"Name":"Taken","Unit":"Count"},{"Name":"Applied","Unit":"Count"},{"Name":"Duplicate","Unit":"Count"},{"Name":"Stale","Unit":"Count"},` +
		`{"Name":"Skipped","Unit":"Count"},{"Name":"Retried","Unit":"Count"},{"Name":"Rejected","Unit":"Count"},` +
		`{"Name":"DestinationsDown","Unit":"Count"},{"Name":"ChangeToEffect","Unit":"Milliseconds"}]}]},` +
		`"Consumer":"leaderboard","Taken":3,"Applied":2,"Duplicate":0,"Stale":0,"Skipped":0,"Retried":1,"Rejected":0,"DestinationsDown":0,"ChangeToEffect":[20,1500]}` + "\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

// Fails if a consumer's own metric is not both declared and there, or changes
// what the other consumers' lines declare.
func TestWriteOwnMetrics(t *testing.T) {
	for range 2 {
		var out bytes.Buffer
		if err := writeMetrics(&out, "replication", time.UnixMilli(0), &counts{own: map[string]int{"Ties": 3, "Lost": 0}}); err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{
			`{"Name":"ChangeToEffect","Unit":"Milliseconds"},{"Name":"Lost","Unit":"Count"},{"Name":"Ties","Unit":"Count"}]`,
			`"Rejected":0,"DestinationsDown":0,"Lost":0,"Ties":3}` + "\n",
		} {
			if !bytes.Contains(out.Bytes(), []byte(part)) {
				t.Errorf("got\n%swithout\n%s", out.String(), part)
			}
		}
	}
}

func TestSampleKeepsPercentiles(t *testing.T) {
	var durations []time.Duration
	for i := range 10_000 {
		durations = append(durations, time.Duration(9_999-i)*time.Millisecond)
	}
	got := sample(durations)
	if len(got) != maxMetricValues || got[0] != 0 || got[99] != 9_999 || got[49] != 4_949 || !slices.IsSorted(got) {
		t.Errorf("%d values, first %v, 50th %v, last %v; want 100: 0, 4949, 9999", len(got), got[0], got[49], got[len(got)-1])
	}
	if got := sample([]time.Duration{3 * time.Millisecond}); !slices.Equal(got, []float64{3}) {
		t.Errorf("one value becomes %v", got)
	}
}

// Fails if a counter that counted nothing is left out, or if one counts on after it was taken.
func TestCounters(t *testing.T) {
	c := NewCounters("Applied", "Refused")
	c.Add("Applied", 2)
	c.Add("Applied", 1)
	for _, want := range []map[string]int{{"Applied": 3, "Refused": 0}, {"Applied": 0, "Refused": 0}} {
		if got := c.Take(); !maps.Equal(got, want) {
			t.Errorf("took %v, want %v", got, want)
		}
	}
}
