package consumer

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"sluice/shared/change"
)

// metricsNamespace is the CloudWatch namespace of every consumer's metrics.
const metricsNamespace = "Sluice"

// maxMetricValues is how many values of one metric a line may carry:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
const maxMetricValues = 100

// Measurer is a Consumer with metrics of its own beside those that every consumer
// has.
type Measurer interface {
	Consumer
	// Metrics returns what was counted since the last call, by the metrics' names,
	// which are always the same. It is called once after each batch.
	Metrics() map[string]int
}

// Counters counts a Measurer's metrics. It is safe for concurrent use.
type Counters struct {
	mu     sync.Mutex
	counts map[string]int
}

// NewCounters returns counters of these names, all zero.
func NewCounters(names ...string) *Counters {
	c := &Counters{counts: map[string]int{}}
	for _, name := range names {
		c.counts[name] = 0
	}
	return c
}

// Add adds n to the counter of a name.
func (c *Counters) Add(name string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts[name] += n
}

// Take returns all counters since the last call, as Measurer.Metrics does, and sets them to zero.
func (c *Counters) Take() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := maps.Clone(c.counts)
	for name := range c.counts {
		c.counts[name] = 0
	}
	return taken
}

// counts is what became of the changes of one batch. Taken is the sum of the others.
type counts struct {
	outcomes [outcomes]int
	// changeToEffect holds, for each applied change, the time from its creation
	// in the table to the moment its effect was known to be in the destination.
	changeToEffect []time.Duration
	// destinationsDown is at how many destinations changes failed and none succeeded.
	destinationsDown int
	own              map[string]int // the consumer's own metrics, and those that are rare
}

func (c *counts) taken() (n int) {
	for _, k := range c.outcomes {
		n += k
	}
	return n
}

// ambiguousTimes counts changes whose creation time is only in milliseconds. Of two of one
// item in one millisecond nobody can tell which came last, and a third that does the same as
// the first can't be told from it. The metric is there only if there are such changes.
const ambiguousTimes = "AmbiguousTimes"

// countAmbiguous adds the batch's ambiguous changes to the consumer's own metrics.
func (c *counts) countAmbiguous(records []change.Record) {
	n := 0
	for i := range records {
		if r := &records[i]; r.Change != nil && r.Change.Precision == change.Millisecond {
			n++
		}
	}
	if n > 0 {
		own := map[string]int{ambiguousTimes: n}
		maps.Copy(own, c.own)
		c.own = own
	}
}

// metric is one entry of a metrics line.
type metric struct {
	Name string
	Unit string
}

var metricDirectives = []metric{
	{"Taken", "Count"},
	{"Applied", "Count"},
	{"Duplicate", "Count"},
	{"Stale", "Count"},
	{"Skipped", "Count"},
	{"Retried", "Count"},
	{"Rejected", "Count"},
	{"DestinationsDown", "Count"},
	{"ChangeToEffect", "Milliseconds"},
}

type metricsLine struct {
	AWS struct {
		Timestamp         int64
		CloudWatchMetrics [1]metricsDirective
	} `json:"_aws"`
	Consumer         string
	Taken            int
	Applied          int
	Duplicate        int
	Stale            int
	Skipped          int
	Retried          int
	Rejected         int
	DestinationsDown int
	ChangeToEffect   []float64 `json:",omitempty"`
}

type metricsDirective struct {
	Namespace  string
	Dimensions [1][1]string
	Metrics    []metric
}

// writeMetrics writes one line in CloudWatch's embedded metric format. w gets
// it in a single Write, so that lines of other writers don't cut it.
func writeMetrics(w io.Writer, consumer string, now time.Time, c *counts) error {
	line := metricsLine{
		Consumer:         consumer,
		Taken:            c.taken(),
		Applied:          c.outcomes[Applied],
		Duplicate:        c.outcomes[Duplicate],
		Stale:            c.outcomes[Stale],
		Skipped:          c.outcomes[Skip],
		Retried:          c.outcomes[Retry],
		Rejected:         c.outcomes[Rejected],
		DestinationsDown: c.destinationsDown,
		ChangeToEffect:   sample(c.changeToEffect),
	}
	line.AWS.Timestamp = now.UnixMilli()
	line.AWS.CloudWatchMetrics[0] = metricsDirective{
		Namespace:  metricsNamespace,
		Dimensions: [1][1]string{{"Consumer"}},
		Metrics:    metricDirectives,
	}
	for _, name := range slices.Sorted(maps.Keys(c.own)) {
		directives := &line.AWS.CloudWatchMetrics[0].Metrics
		*directives = append(slices.Clip(*directives), metric{name, "Count"})
	}
	text, err := json.Marshal(line)
	if err == nil && len(c.own) > 0 {
		var own []byte
		own, err = json.Marshal(c.own)
		text = append(append(text[:len(text)-1], ','), own[1:]...) // one object of both
	}
	if err == nil {
		_, err = w.Write(append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write metrics: %w", err)
	}
	return nil
}

// sample returns the durations in milliseconds, sorted. Of more than
// maxMetricValues it keeps that many evenly spaced ranks, smallest and largest
// included, so that percentiles stay what they are.
func sample(durations []time.Duration) []float64 {
	slices.Sort(durations)
	n := min(len(durations), maxMetricValues)
	values := make([]float64, n)
	for i := range values {
		rank := i
		if n < len(durations) {
			rank = i * (len(durations) - 1) / (n - 1)
		}
		values[i] = float64(durations[rank].Microseconds()) / 1e3
	}
	return values
}
